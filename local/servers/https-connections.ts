import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Broker } from '../core/mqtt/broker.ts';
import { Reason } from '../core/mqtt/reason.ts';
import { reportPolicyRefusal } from '../core/mqtt/refusal.ts';
import { type Identify, respond } from './https.ts';
import { HttpError } from './https-request.ts';

const PATH = /^\/connections\/([^/?]+)(?:\?(.*))?$/s;

export const isConnectionCall = ({ url = '' }: IncomingMessage): boolean =>
  url.startsWith('/connections/');

/** DeleteConnection at the data endpoint itself: `DELETE /connections/CLIENT_ID?cleanSession&preventWillMessage`. */
export async function answerConnections(
  broker: Broker,
  identify: Identify,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const traceId = broker.state.uuid();
  try {
    await deleteConnection(broker, identify, request);
    respond(response, 200, {});
  } catch (error) {
    if (!(error instanceof HttpError)) {
      const message = 'DeleteConnection failed';
      broker.state.log({ level: 'error', source: 'gateway', message, traceId, error });
    }
    const { statusCode, message } =
      error instanceof HttpError ? error : new HttpError(500, 'Internal Failure');
    respond(response, statusCode, { message, traceId });
  }
}

async function deleteConnection(
  broker: Broker,
  identify: Identify,
  request: IncomingMessage,
): Promise<void> {
  const [, encoded = '', search = ''] = PATH.exec(request.url ?? '') ?? [];
  if (request.method !== 'DELETE') throw new HttpError(405, 'connections are ended with DELETE');
  const clientId = decodeClientId(encoded);
  const client = await identify(request, async () => Buffer.alloc(0));
  if (client === undefined) throw new HttpError(401, 'Unauthorized');
  const { access, principal, sourceIp } = client;
  const { decision } = access.decide('iot:DeleteConnection', clientId);
  if (!decision.allowed) {
    const subject = { protocol: 'https', principal, sourceIp } as const;
    const resource = access.resource('iot:DeleteConnection', clientId);
    reportPolicyRefusal(broker.state, subject, {
      action: 'iot:DeleteConnection',
      resource,
      decision,
    });
    throw new HttpError(403, 'Forbidden');
  }
  const query = new URLSearchParams(search);
  const found = broker.disconnect(clientId, {
    reason: 'API_INITIATED_DISCONNECT',
    code: Reason.administrative,
    preventWill: query.get('preventWillMessage') === 'true',
    cleanSession: query.get('cleanSession') === 'true',
  });
  if (!found) throw new HttpError(404, `no client is connected as ${clientId}`);
}

function decodeClientId(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new HttpError(400, `client id ${JSON.stringify(encoded)} is not URL-encoded UTF-8`);
  }
}
