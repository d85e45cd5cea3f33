import { userInfo } from 'node:os';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { containThing, releaseThing } from '../shared/adapters/security/contain-thing.ts';
import { containment, type Place } from '../shared/adapters/security/containment.ts';
import { incidentTable } from '../shared/adapters/security/incident-table.ts';
import { type Affected, stormTable } from '../shared/adapters/security/storm-table.ts';
import { resetBreaker } from '../shared/core/security/budget.ts';
import { DEFAULT_LADDER, rungFor } from '../shared/core/security/containment.ts';
import type { Denial } from '../shared/core/security/denial.ts';
import type { Action, Incident, Rung } from '../shared/core/security/incident.ts';
import { FailedError } from './command.ts';
import type { Target } from './target.ts';

const PATIENCE_MS = 30_000;

export type IncidentDesk = ReturnType<typeof openIncidentDesk>;

/** What can be done by hand about incidents, on the laptop and on AWS, under the name of who does it. */
export function openIncidentDesk({ client, stage }: Pick<Target, 'client' | 'stage'>) {
  const tools = {
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    random: Math.random,
  };
  const db = new DynamoDBClient({ ...client });
  const tableName = `tributary-${stage}-incidents`;
  const incidents = incidentTable(db, tableName, tools);
  const storms = stormTable(db, tableName, tools);
  const acts = containment(
    new IoTClient({ ...client }),
    new IoTDataPlaneClient({ ...client }),
    tools,
  );
  const deps = { incidents, containment: acts, now: Date.now };
  const by = userInfo().username;
  const until = Date.now() + PATIENCE_MS;
  const timeLeft = () => until - Date.now();

  const find = async (id: string): Promise<Incident> => {
    const found = await incidents.incident(id, timeLeft);
    if (found === undefined) throw new FailedError(`There is no incident ${id}.`);
    return found;
  };

  /** Where the stage is, as its table knows: a thing may be gone by now. */
  const place = async (): Promise<Place> => {
    const { Table } = await db.send(new DescribeTableCommand({ TableName: tableName }));
    const [, partition, , region, accountId] = Table?.TableArn?.split(':') ?? [];
    return {
      iot: `arn:${partition}:iot:${region}:${accountId}`,
      quarantinePolicy: `tributary-${stage}-quarantine`,
    };
  };

  /** What was done is done; so it is written, whoever else writes to the incident meanwhile. */
  const record = async (id: string, change: (before: Incident) => Incident): Promise<Incident> => {
    while (timeLeft() > 0) {
      const before = await find(id);
      const after = { ...change(before), version: before.version + 1 };
      if (await incidents.saveIncident(after, timeLeft)) return after;
    }
    throw new FailedError(`It was done, and incident ${id} could not be written; show it again.`);
  };

  return {
    find,
    list: () => incidents.incidents(timeLeft),

    /** Who holds a thing, and how far it is refused. */
    denial: (thing: string): Promise<Denial | undefined> => incidents.denial(thing, timeLeft),

    /** What the incident of a storm stands for. */
    affected: ({ id, subject }: Incident): Promise<Affected | undefined> =>
      subject.kind === 'account' ? storms.affected(id, timeLeft) : Promise.resolve(undefined),

    /** @returns false when nothing was stopped */
    async resume(): Promise<boolean> {
      const budget = await incidents.budget(timeLeft);
      if (budget.tripped === undefined) return false;
      if (await incidents.saveBudget(resetBreaker(budget), timeLeft)) return true;
      throw new FailedError('Containment is being decided upon right now; try again.');
    },

    async contain(
      found: Incident,
      wanted: Exclude<Rung, 'notify'> | undefined,
      why: string,
    ): Promise<Incident> {
      const thing = thingOf(found);
      const usual = found.containment?.rung ?? rungFor(found, DEFAULT_LADDER);
      const rung = wanted ?? (usual === 'cut-off' ? 'cut-off' : 'quarantine');
      const here = await place();
      const facts = await acts.facts(thing, here, timeLeft);
      if (facts === undefined) throw new FailedError(`The registry has no thing ${thing}.`);
      const means = { place: here, by, why };
      const { actions } = await containThing(found, rung, facts, means, deps, timeLeft);
      return record(found.id, (before) => ({
        ...before,
        state: 'contained',
        containment: { rung, state: 'done', why },
        actions: [...before.actions, ...actions],
      }));
    },

    /** Ends the incident's hold on its thing, and closes it; others may hold the thing still. */
    async release(
      found: Incident,
      why: string,
    ): Promise<{ readonly incident: Incident; readonly denial: Denial | undefined }> {
      const thing = thingOf(found);
      const here = await place();
      const fleet = (await acts.facts(thing, here, timeLeft))?.fleet ?? found.fleet;
      const means = { place: here, by, why };
      const released = await releaseThing(found, fleet, means, deps, timeLeft);
      if (released === undefined && found.state !== 'contained') {
        throw new FailedError(`Incident ${found.id} does not contain ${thing}.`);
      }
      const rung = found.containment?.rung ?? 'notify';
      const incident = await record(found.id, (before) => ({
        ...closed(before, released?.actions ?? [], { by, why }),
        containment: { rung, state: 'released', why },
      }));
      return { incident, denial: released?.denial };
    },

    /** Ends an incident that contains nothing: somebody has looked. */
    async close(found: Incident, why: string): Promise<Incident> {
      if (found.state === 'contained') {
        throw new FailedError(
          `Incident ${found.id} contains ${found.subject.name}: release it, which closes it.`,
        );
      }
      return record(found.id, (before) => closed(before, [], { by, why }));
    },
  };
}

const closed = (
  { due: _due, ...before }: Incident,
  actions: readonly Action[],
  { by, why }: { readonly by: string; readonly why: string },
): Incident => ({
  ...before,
  state: 'closed',
  alarms: [],
  actions: [...before.actions, ...actions, { atMs: Date.now(), by, did: 'closed it', why }],
});

function thingOf({ id, subject }: Incident): string {
  if (subject.kind === 'thing') return subject.name;
  throw new FailedError(`Incident ${id} is about no device.`);
}
