import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { anomalyTable } from '../../../../shared/adapters/detection/anomaly-table.ts';
import {
  detectionSettingsTable,
  SETTINGS_AGE_MS,
  settingsDirectory,
} from '../../../../shared/adapters/detection/detection-settings-table.ts';
import type { Anomaly } from '../../../../shared/core/detection/anomaly.ts';
import { recordOf } from '../../../../shared/core/detection/anomaly-record.ts';
import { close, open } from '../../../../shared/core/detection/incident.ts';
import { openDetectionTables } from '../../../support/detection-world.ts';
import { patientTools, plentyOfTime } from '../../../support/retry-tools.ts';

const T0 = 1_790_000_000_000;

let world: Awaited<ReturnType<typeof openDetectionTables>>;
beforeEach(async () => {
  world = await openDetectionTables();
});
afterEach(() => world.close());

const anomalies = () => anomalyTable(world.db, 'anomalies', patientTools());
const settings = () => detectionSettingsTable(world.db, 'detection-settings', patientTools());

const spike = (openedAtMs: number): Anomaly =>
  open(
    { atMs: openedAtMs, value: 80, unit: '°C' },
    { finder: 'value', kind: 'spike', direction: 'above', low: 18, high: 24 },
  );
const found = (anomaly: Anomaly, thing = 'probe-1', metric = 'temperature', fleet = 'acme') =>
  recordOf({ thing, fleet }, { change: 'opens', anomaly, metric });

describe('anomalies', () => {
  it('are recorded once a version, and never go back', async () => {
    const table = anomalies();
    const opened = spike(T0);
    const closed = found(close(opened, T0 + 5_000));
    expect(await table.record(found(opened), undefined, plentyOfTime)).toBe(true);
    expect(await table.record(found(opened), undefined, plentyOfTime)).toBe(false);
    expect(await table.record(closed, T0 + 86_400_000, plentyOfTime)).toBe(true);
    expect(await table.record(found(opened), undefined, plentyOfTime)).toBe(false);
    expect(await table.get(closed.id, plentyOfTime)).toEqual(closed);
  });

  it('are listed by fleet and state, by thing, and all, the newest first', async () => {
    const table = anomalies();
    const first = found(spike(T0));
    const second = found(spike(T0 + 1_000), 'probe-2', 'odd # name / ü');
    const over = found(close(spike(T0 + 2_000), T0 + 3_000));
    const other = found(spike(T0 + 4_000), 'probe-9', 'x', 'globex');
    for (const one of [first, second, over, other])
      await table.record(one, undefined, plentyOfTime);
    const list = (query: Parameters<typeof table.list>[0]) => table.list(query, plentyOfTime);
    expect(await list({ fleet: 'acme', state: 'open' })).toEqual([second, first]);
    expect(await list({ fleet: 'acme' })).toEqual([over, second, first]);
    expect(await list({ fleet: 'acme', limit: 1 })).toEqual([over]);
    expect(await list({ thing: 'probe-1', state: 'open' })).toEqual([first]);
    expect(await list({})).toEqual([other, over, second, first]);
    expect(await table.get(second.id, plentyOfTime)).toEqual(second);
  });

  it('stay acknowledged when they go on', async () => {
    const table = anomalies();
    const opened = found(spike(T0));
    const seen = { by: 'ann', atMs: T0 + 60_000 };
    expect(await table.acknowledge(opened.id, seen, plentyOfTime)).toBe(false);
    await table.record(opened, undefined, plentyOfTime);
    expect(await table.acknowledge(opened.id, seen, plentyOfTime)).toBe(true);
    await table.record(found(close(spike(T0), T0 + 90_000)), undefined, plentyOfTime);
    expect(await table.get(opened.id, plentyOfTime)).toMatchObject({
      state: 'closed',
      acknowledgedBy: 'ann',
      acknowledgedAtMs: T0 + 60_000,
    });
  });

  it.each(['', 'probe-1', 'probe-1/t/value/!', '../t/value/abc', 'a/b/c/d/e'])(
    'have no id %j',
    async (id) => {
      expect(await anomalies().get(id, plentyOfTime)).toBeUndefined();
    },
  );
});

describe('settings', () => {
  const ann = { by: 'ann', atMs: T0 };

  it('are muted without losing what else is set', async () => {
    const table = settings();
    const range = { low: -20, high: 60 };
    await table.put(
      { what: 'options', fleet: 'acme', metric: 'temperature', options: { range } },
      plentyOfTime,
    );
    await table.mute({ fleet: 'acme', metric: 'temperature' }, T0 + 1_000, ann, plentyOfTime);
    await table.mute({ fleet: 'acme', thing: 'probe-1' }, T0 + 2_000, ann, plentyOfTime);
    const directory = settingsDirectory(
      table,
      () => T0,
      () => undefined,
    );
    const fleet = await directory.of('acme', plentyOfTime);
    expect(fleet.problems).toEqual([]);
    expect(fleet.of('probe-2').optionsOf('temperature')).toEqual({
      range,
      mutedUntilMs: T0 + 1_000,
    });
    expect(fleet.of('probe-1').optionsOf('temperature')).toEqual({
      range,
      mutedUntilMs: T0 + 2_000,
    });
    expect(fleet.of('probe-1').optionsOf(undefined)).toEqual({ mutedUntilMs: T0 + 2_000 });
    expect(fleet.of('probe-2').optionsOf(undefined)).toEqual({});
  });

  it('hold within a minute of the change', async () => {
    const table = settings();
    let nowMs = T0;
    const directory = settingsDirectory(
      table,
      () => nowMs,
      () => undefined,
    );
    const high = async () =>
      (await directory.of('acme', plentyOfTime)).of('probe-1').optionsOf('x').range?.high;
    expect(await high()).toBeUndefined();
    await table.put(
      { what: 'options', fleet: 'acme', options: { range: { high: 5 } } },
      plentyOfTime,
    );
    expect(await high()).toBeUndefined();
    nowMs += SETTINGS_AGE_MS;
    expect(await high()).toBe(5);
  });
});
