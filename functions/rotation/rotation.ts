import * as z from 'zod';
import type { Registry } from '../../shared/adapters/access/registry.ts';
import type { RotationTable } from '../../shared/adapters/access/rotation-table.ts';
import { CertificateId } from '../../shared/core/access/authorities.ts';
import { Name } from '../../shared/core/names.ts';
import type { BatchResponse, Invocation } from '../../shared/lambda/batch.ts';
import type { Log } from '../../shared/lambda/log.ts';
import { type QueueMessage, queueMessages } from '../../shared/lambda/queue-event.ts';

/** All this function needs from outside; a test passes plain objects. */
export interface RotationDeps {
  readonly rotations: Pick<RotationTable, 'pending' | 'end'>;
  readonly registry: Pick<Registry, 'certificate' | 'certificatesOf' | 'setStatus' | 'detach'>;
  /** The policies of devices. */
  readonly policyNames: readonly string[];
  readonly log: Log;
}

/** @see AWS IoT Core Developer Guide, "Lifecycle events", connect */
const Connected = z.object({ clientId: Name, principalIdentifier: CertificateId });

interface Connection {
  readonly messageId: string;
  readonly thing: string;
  readonly certificateId: string;
}

type TimeLeft = () => number;

/**
 * Connections that were made → the end of certificates that a newer one has replaced. Only a connection with the very
 * certificate that a rotation waits for ends it, and what the connection says is held against the registry: a forged
 * event retires nothing that a rotation was not about to retire.
 */
export const rotation =
  (deps: RotationDeps) =>
  async (event: unknown, invocation: Invocation): Promise<BatchResponse> => {
    const timeLeft: TimeLeft = () => invocation.getRemainingTimeInMillis();
    const connections = queueMessages(event).flatMap(connectionIn);
    const things = [...new Set(connections.map(({ thing }) => thing))];
    const { newCertificates, failures } = await deps.rotations.pending(things, timeLeft);
    const failed = new Set(failures.map(({ item }) => item));
    for (const { thing, certificateId } of connections) {
      if (failed.has(thing) || newCertificates.get(thing) !== certificateId) continue;
      try {
        await retireOthers(thing, certificateId, deps, timeLeft);
      } catch (error) {
        deps.log('error', 'a rotation was not ended and will be tried again', { thing, error });
        failed.add(thing);
      }
    }
    return {
      batchItemFailures: connections
        .filter(({ thing }) => failed.has(thing))
        .map(({ messageId }) => ({ itemIdentifier: messageId })),
    };
  };

/** What is no connection of a device with a certificate is nobody's rotation. */
function connectionIn({ id, body }: QueueMessage): Connection[] {
  const { data } = Connected.safeParse(parse(body));
  if (data === undefined) return [];
  return [{ messageId: id, thing: data.clientId, certificateId: data.principalIdentifier }];
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

async function retireOthers(
  thing: string,
  certificateId: string,
  { registry, rotations, policyNames, log }: RotationDeps,
  timeLeft: TimeLeft,
): Promise<void> {
  const attached = await registry.certificatesOf(thing, timeLeft);
  const current = await registry.certificate(certificateId, timeLeft);
  if (current?.status !== 'ACTIVE' || !attached.includes(certificateId)) {
    log('warn', 'rotation left as it is: the new certificate is not active on its thing', {
      thing,
    });
    return;
  }
  let retired = 0;
  for (const id of attached.filter((other) => other !== certificateId)) {
    const old = await registry.certificate(id, timeLeft);
    if (old === undefined) continue;
    if (old.status === 'ACTIVE') await registry.setStatus(id, 'INACTIVE', timeLeft);
    // last, so that a repetition finds what is left to do
    if (old.status !== 'REVOKED') await registry.detach(old, thing, policyNames, timeLeft);
    retired += 1;
  }
  await rotations.end(thing, certificateId, timeLeft);
  log('info', 'certificate rotated', { thing, retired });
}
