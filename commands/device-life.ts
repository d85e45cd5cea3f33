import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetPolicyCommand, IoTClient } from '@aws-sdk/client-iot';
import { DeleteConnectionCommand, IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { KMSClient, NotFoundException } from '@aws-sdk/client-kms';
import { enrolmentTable } from '../shared/adapters/access/enrolment-table.ts';
import { peppers } from '../shared/adapters/access/pepper.ts';
import { rotationTable } from '../shared/adapters/access/rotation-table.ts';
import { secretDesk } from '../shared/adapters/access/secret-desk.ts';
import { secretTable } from '../shared/adapters/access/secret-table.ts';
import { denials } from '../shared/adapters/security/denials.ts';
import { FailedError } from './command.ts';
import { type ListedDevice, type NewCertificate, openDeviceDesk } from './device-desk.ts';
import type { Target } from './target.ts';

const PATIENCE_MS = 30_000;

/** A device in the list, and the certificate that waits for its first connection, if one does. */
export interface DeviceLine extends ListedDevice {
  readonly rotatesTo?: string;
}

/**
 * A device's whole life, as an operator leads it: certificates in the registry, and what the service knows beside it
 * of rotations, secrets and enrolments. The same calls on AWS and on the laptop.
 */
export function openDeviceLife({ client, stage }: Pick<Target, 'client' | 'stage'>) {
  const tools = {
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    random: Math.random,
  };
  const until = Date.now() + PATIENCE_MS;
  const timeLeft = (): number => until - Date.now();
  const iot = new IoTClient({ ...client });
  const data = new IoTDataPlaneClient({ ...client });
  const db = new DynamoDBClient({ ...client });
  const tableName = `tributary-${stage}-credentials`;
  const devices = openDeviceDesk(iot, stage);
  const rotations = rotationTable(db, tableName, tools);
  const denialOf = denials(db, `tributary-${stage}-incidents`);
  const secretRows = secretTable(db, tableName);
  const secrets = secretDesk({
    table: secretRows,
    pepper: peppers(
      new KMSClient({ ...client }),
      secretRows,
      { keyId: `alias/tributary-${stage}-pepper`, tableName },
      Date.now,
    ),
    randomBytes,
    now: Date.now,
  });

  /** A new credential would be a way around the containment. */
  const refuseContained = async (thing: string): Promise<void> => {
    const denial = await denialOf(thing);
    if (denial === undefined) return;
    const { incidentId } = denial;
    throw new FailedError(
      `${thing} is contained because of incident ${incidentId}: \`npm run incident -- show ${incidentId}\` says why, \`release\` lets it go.`,
    );
  };

  /** @returns whether there was a session */
  const endSession = async (thing: string): Promise<boolean> => {
    try {
      await data.send(new DeleteConnectionCommand({ clientId: thing, cleanSession: true }));
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') return false;
      throw error;
    }
  };

  const endRotation = async (thing: string): Promise<void> => {
    const { newCertificates } = await rotations.pending([thing], timeLeft);
    const waiting = newCertificates.get(thing);
    if (waiting !== undefined) await rotations.end(thing, waiting, timeLeft);
  };

  return {
    /** @throws {FailedError} when the thing is contained, of another fleet, or has an active certificate */
    async add(thing: string, fleet: string | undefined, keep: (made: NewCertificate) => void) {
      await refuseContained(thing);
      return devices.add(thing, fleet, keep);
    },

    /** @throws {FailedError} when the thing is contained, not there, or has nothing to replace */
    async rotate(thing: string, keep: (made: NewCertificate) => void) {
      await refuseContained(thing);
      return devices.rotate(thing, keep, (certificateId) =>
        rotations.begin(thing, certificateId, Date.now(), timeLeft),
      );
    },

    async list(): Promise<DeviceLine[]> {
      const listed = await devices.list();
      const things = listed.map(({ thing }) => thing);
      const { newCertificates } = await rotations.pending(things, timeLeft);
      return listed.map((device) => {
        const rotatesTo = newCertificates.get(device.thing);
        return { ...device, ...(rotatesTo !== undefined && { rotatesTo }) };
      });
    },

    /** Ends all that a device can show, then its session, which it cannot take up again. */
    async revoke(thing: string) {
      const certificates = await devices.revoke(thing);
      const secretIds = await secrets.revokeAll(thing);
      await endRotation(thing);
      return { certificates, secrets: secretIds, sessionEnded: await endSession(thing) };
    },

    /** @returns the secret, which is kept nowhere */
    async issueSecret(thing: string, fleet: string | undefined, expiresAtMs: number | undefined) {
      await refuseContained(thing);
      const itsFleet = await devices.ensureThing(thing, fleet);
      try {
        const { id, text } = await secrets.issue({ thing, fleet: itsFleet, expiresAtMs });
        return { fleet: itsFleet, id, secret: text };
      } catch (error) {
        if (!(error instanceof NotFoundException)) throw error;
        throw new FailedError(
          `Stage ${stage} takes no device secrets; give it passwordAuthorizer: enabled (here: npm start -- --param passwordAuthorizer=enabled).`,
        );
      }
    },

    /**
     * @param id  one of them; all without
     * @throws {FailedError} when the thing has no such secret
     */
    async revokeSecrets(thing: string, id: string | undefined) {
      const revoked =
        id === undefined ? await secrets.revokeAll(thing) : await revokeOne(thing, id);
      return { secrets: revoked, sessionEnded: await endSession(thing) };
    },

    listSecrets: (thing: string) => secretRows.ofThing(thing),

    /** @throws {FailedError} when the stage provisions nothing */
    async enrol(serial: string, thing: string, fleet: string): Promise<void> {
      try {
        await iot.send(new GetPolicyCommand({ policyName: `tributary-${stage}-claim` }));
      } catch (error) {
        if (!(error instanceof Error && error.name === 'ResourceNotFoundException')) throw error;
        throw new FailedError(
          `Stage ${stage} has no fleet provisioning; give it fleetProvisioning: enabled (here: npm start -- --param fleetProvisioning=enabled).`,
        );
      }
      await enrolmentTable(db, tableName).expect(serial, { thing, fleet });
    },
  };

  async function revokeOne(thing: string, id: string): Promise<readonly string[]> {
    const own = await secretRows.ofThing(thing);
    if (!own.some((secret) => secret.id === id)) {
      throw new FailedError(`${thing} has no secret ${id}.`);
    }
    await secrets.revoke(id);
    return [id];
  }
}
