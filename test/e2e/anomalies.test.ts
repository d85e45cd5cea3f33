import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type AnomalyWatch, watchAnomalies } from '../../commands/anomaly-watch.ts';
import { resolveTemplate } from '../../local/core/template/index.ts';
import { openDashboard } from '../../local/fleet/dashboard.ts';
import { startFleet } from '../../local/fleet/fleet.ts';
import { seeded } from '../../local/fleet/random.ts';
import { bootLaptop, type TestLaptop } from '../support/laptop.ts';
import { copyOfProject } from '../support/project-copy.ts';
import { packageService } from '../support/template.ts';

/** Ten readings a second, so that what takes so many readings takes so many tenths of a second. */
const INTERVAL_MS = 100;
const SECOND_MS = 1000;
const PARAMS = { dashboards: 'enabled' };
/** Of somebody who signed in at the identity pool. */
const IDENTITY = 'eu-central-1:7d5f6f0e-6a3c-4bd0-9df2-3b0f7f6f7d20';

/** Of a place that is drier than where the simulated devices are. */
const DRY = {
  what: 'options',
  fleet: 'demo',
  thing: 'sensor-1',
  metric: 'humidity',
  options: { range: { high: 20 } },
};

let laptop: TestLaptop;
let project: ReturnType<typeof copyOfProject>;
let watch: AnomalyWatch;
let fleet: { stop: () => Promise<void> };
const said: string[] = [];
const listeners = new Set<() => void>();

/** Resolves with what the screen says, once it says it. */
const says = (pattern: RegExp): Promise<string> =>
  new Promise((resolve) => {
    const look = () => {
      const text = said.find((line) => pattern.test(line));
      if (text === undefined) return;
      listeners.delete(look);
      resolve(text);
    };
    listeners.add(look);
    look();
  });

/** Runs a command beside the laptop, as if `npm start` had started it in that folder. */
const anomalies = async (...args: readonly string[]): Promise<string> => {
  const { code, out, err } = await project.run('anomalies', ...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out;
};

beforeAll(async () => {
  laptop = await bootLaptop({ params: PARAMS });
  project = copyOfProject();
  const { accountId, region, awsEndpoint, mqttPort, httpsPort, port443, caFile } = laptop;
  const file = {
    ...{ pid: process.pid, stage: 'dev', region, accountId, awsEndpoint },
    ...{ mqttPort, httpsPort, port443, domains: [], caFile },
    devicesDirectory: laptop.devicesDirectory,
  };
  mkdirSync(join(project.folder, '.tributary'), { recursive: true });
  writeFileSync(join(project.folder, '.tributary', 'laptop.json'), JSON.stringify(file));
  await anomalies('mute', '--fleet', 'demo', '--thing', 'sensor-2', '--for', '1h');
  writeFileSync(join(project.folder, 'settings.json'), JSON.stringify(DRY));
  await anomalies('set', 'settings.json');
  watch = await watchAnomalies(laptop, ({ label, lines }) => {
    said.push([label, ...lines].join(' '));
    for (const listener of listeners) listener();
  });
  const stuck = { fault: 'stuck', metric: 'temperature', afterMs: SECOND_MS } as const;
  fleet = await startFleet({
    devices: await Promise.all(
      ['sensor-1', 'sensor-2', 'sensor-3'].map((thing) => laptop.addDevice(thing, 'demo')),
    ),
    gateway: { host: 'localhost', mqttPort, httpsPort },
    intervalMs: INTERVAL_MS,
    now: Date.now,
    random: seeded(1),
    log: () => undefined,
    faults: [
      { thing: 'sensor-2', ...stuck, lastsMs: 60 * SECOND_MS },
      { thing: 'sensor-3', ...stuck, lastsMs: 6 * SECOND_MS },
    ],
    backlogReadings: 300,
  });
});
afterAll(async () => {
  await fleet.stop();
  await watch.stop();
  await project.remove();
  await laptop.close();
});

describe('a device whose temperature is stuck', () => {
  it('is told of on the screen, with why, and once it is well again', async () => {
    const told = await says(/^ANOMALY .*temperature of sensor-3/);
    expect(told).toMatch(/temperature of sensor-3 reads \d.* Cel for \d+ readings in a row/);
    expect(told).toMatch(/npm run anomalies -- show sensor-3\/temperature\/stuck\/\w+$/);
    expect(await says(/^over .*stuck value of temperature of sensor-3/)).toMatch(
      /after \d+(\.\d)? s\.$/,
    );
  });

  it('is listed, explained and acknowledged by command', async () => {
    await says(/^over .*stuck value of temperature of sensor-3/);
    const listed = JSON.parse(await anomalies('list', '--thing', 'sensor-3', '--json'));
    const stuck = listed.filter(({ kind }: { kind: string }) => kind === 'stuck value');
    expect(stuck).toMatchObject([{ state: 'closed', metric: 'temperature', thing: 'sensor-3' }]);
    const [{ id }] = stuck;
    const shown = await anomalies('show', id);
    expect(shown).toMatch(/^temperature of sensor-3 reads .* in a row/);
    expect(shown).toContain('stuck value, score');
    expect(shown).toMatch(/│.*●/);
    expect(shown).toContain('by nobody yet');
    expect(await anomalies('ack', id)).toMatch(/seen +by \w+/);
    expect(await anomalies('list', '--fleet', 'demo')).toContain('closed, seen');
  });

  it('is not told of where it is muted', async () => {
    await says(/^over .*stuck value of temperature of sensor-3/);
    expect(said.filter((text) => text.includes('sensor-2'))).toEqual([]);
    expect(await anomalies('list', '--thing', 'sensor-2')).toBe('There are no anomalies.\n');
  });
});

it('holds a device to the limits that a file has set', async () => {
  expect(await says(/^ANOMALY humidity of sensor-1/)).toContain(
    'outside of 0 to 20 %RH that it can have',
  );
  const set = JSON.parse(await anomalies('settings', '--fleet', 'demo'));
  expect(set).toContainEqual(expect.objectContaining({ ...DRY, by: expect.any(String) }));
  await anomalies('unset', 'settings.json');
  const left = JSON.parse(await anomalies('settings', '--fleet', 'demo'));
  expect(left).toMatchObject([
    { thing: 'sensor-2', options: { mutedUntilMs: expect.any(Number) } },
  ]);
});

/** The policy of the role that signed-in identities take. */
function identityPolicies() {
  const { accountId, region } = laptop;
  const place = { accountId, region, partition: 'aws', stackName: 'tributary-dev' };
  const { resources } = resolveTemplate(packageService({ params: PARAMS }).template, place);
  const policies = resources.get('DashboardIdentityRole')?.properties['Policies'];
  return (policies as { PolicyName: string; PolicyDocument: unknown }[]).map(
    ({ PolicyName, PolicyDocument }) => ({ name: PolicyName, document: PolicyDocument }),
  );
}

describe('a dashboard of somebody who signed in', () => {
  const heard: string[] = [];
  const watchFleet = (fleet: string) =>
    openDashboard({
      host: `localhost:${laptop.port443}`,
      region: laptop.region,
      keys: laptop.addSession({
        name: 'dashboard-identity',
        identityId: IDENTITY,
        policies: identityPolicies(),
      }),
      clientId: IDENTITY,
      caPem: laptop.caPem,
      filter: `an/${fleet}/+`,
      now: Date.now,
      onMessage: (topic) => void heard.push(topic),
    });

  it('is shown the anomalies of the fleet it was let in to, and of no other', async () => {
    const lambda = new LambdaClient(laptop.client);
    const admission = JSON.stringify({ identityId: IDENTITY, fleet: 'demo' });
    const { Payload } = await lambda.send(
      new InvokeCommand({ FunctionName: 'tributary-dev-dashboard', Payload: admission }),
    );
    expect(JSON.parse(Payload?.transformToString() ?? '')).toEqual({ admitted: true });
    const dashboard = await watchFleet('demo');
    await dashboard.stop();
    await expect(watchFleet('acme')).rejects.toThrow();
  });
});
