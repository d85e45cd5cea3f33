import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeviceIdentity } from '../../local/fleet/device.ts';
import {
  bootLaptop,
  connectDevice,
  deadLetters,
  publishHttps,
  storedReadings,
  type TestLaptop,
} from '../support/laptop.ts';

let laptop: TestLaptop;
let device: DeviceIdentity;

beforeAll(async () => {
  laptop = await bootLaptop();
  device = await laptop.addDevice('probe-1', 'acme');
});
afterAll(() => laptop.close());

const YEAR_MS = 365 * 86_400_000;
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

interface Bad {
  readonly what: string;
  readonly payload: string | Uint8Array;
  readonly kind?: string;
  readonly code: string;
  /** What the finding says of where and what. */
  readonly issue: RegExp;
}

const BAD: readonly Bad[] = [
  {
    what: 'not JSON',
    payload: 'temperature=21',
    code: 'MALFORMED_PAYLOAD',
    issue: /root.*wants a value/,
  },
  {
    what: 'not UTF-8',
    payload: Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d),
    code: 'MALFORMED_PAYLOAD',
    issue: /UTF-8/,
  },
  { what: 'empty', payload: '', code: 'MALFORMED_PAYLOAD', issue: /empty/ },
  {
    what: '1,000 levels deep',
    payload: nested(1000),
    code: 'MALFORMED_PAYLOAD',
    issue: /deep|levels/,
  },
  {
    what: 'a __proto__ key',
    payload: '{"__proto__":{"a":1}}',
    code: 'MALFORMED_PAYLOAD',
    issue: /__proto__/,
  },
  {
    what: 'a key twice',
    payload: '{"a":1,"a":2}',
    code: 'MALFORMED_PAYLOAD',
    issue: /a.*twice|duplicate/i,
  },
  { what: 'NaN', payload: '{"a":NaN}', code: 'MALFORMED_PAYLOAD', issue: /character 6/ },
  { what: 'Infinity', payload: '{"a":Infinity}', code: 'MALFORMED_PAYLOAD', issue: /character 6/ },
  { what: '1e400', payload: '{"a":1e400}', code: 'MALFORMED_PAYLOAD', issue: /^a/ },
  {
    what: 'a clock a year behind',
    payload: JSON.stringify({ ts: Date.now() - YEAR_MS, a: 1 }),
    code: 'CLOCK_OUT_OF_RANGE',
    issue: /^ts/,
  },
  {
    what: 'a clock a year ahead',
    payload: JSON.stringify({ ts: Date.now() + YEAR_MS, a: 1 }),
    code: 'CLOCK_OUT_OF_RANGE',
    issue: /^ts/,
  },
  {
    what: 'an unknown kind',
    payload: '{"unknown":1}',
    kind: 'weather',
    code: 'UNKNOWN_KIND',
    issue: /level 4 \(kind\).*telemetry or status/,
  },
  {
    what: 'a level too many',
    payload: '{"levels":5}',
    kind: 'telemetry/x',
    code: 'MALFORMED_TOPIC',
    issue: /5 levels/,
  },
];

describe('what a device should not have sent', () => {
  it('goes to the dead letters with its payload, its reason and its place, and blocks nothing behind it', async () => {
    const client = await connectDevice(laptop, device);
    for (const { payload, kind = 'telemetry' } of BAD) {
      const bytes = typeof payload === 'string' ? payload : Buffer.from(payload);
      await client.publishAsync(`dt/acme/probe-1/${kind}`, bytes, { qos: 1 });
    }
    await client.publishAsync('dt/acme/probe-1/telemetry', '{"last": true}', { qos: 1 });
    await client.endAsync();
    await laptop.idle();

    expect((await storedReadings(laptop, 'probe-1')).map(({ metrics }) => metrics)).toEqual([
      { last: true },
    ]);
    const letters = (await deadLetters(laptop)).map(({ data, ...letter }) => {
      const envelope = JSON.parse(Buffer.from(data, 'base64').toString());
      return { ...letter, payload: envelope.data, receivedAtMs: envelope.receivedAtMs };
    });
    for (const { what, payload, code, issue } of BAD) {
      const letter = letters.find(
        (one) => one.payload === Buffer.from(payload).toString('base64') && one.code === code,
      );
      expect({ what, ...letter }).toMatchObject({
        what,
        function: 'ingest',
        code,
        issues: [expect.stringMatching(issue)],
        stream: 'tributary-dev-uplinks',
        partitionKey: 'probe-1',
      });
    }
    expect(letters).toHaveLength(BAD.length);
  });

  it('is refused at the door where AWS refuses it: one byte over 128 KB', async () => {
    const payload = 'x'.repeat(128 * 1024 + 1);
    expect(await publishHttps(laptop, device, 'dt/acme/probe-1/telemetry', payload)).toMatchObject({
      status: 413,
    });
    const client = await connectDevice(laptop, device);
    const closed = new Promise((resolve) => client.once('close', () => resolve('closed')));
    client.publishAsync('dt/acme/probe-1/telemetry', payload, { qos: 1 }).catch(() => undefined);
    expect(await closed).toBe('closed');
    await client.endAsync(true);
  });

  it('is refused over HTTPS with a short body, and explained to the operator', async () => {
    expect(await publishHttps(laptop, device, 'dt/acme/other/telemetry', '{"a":1}')).toMatchObject({
      status: 403,
    });
    expect(laptop.log).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        source: 'gateway',
        resource: expect.stringContaining('topic/dt/acme/other/telemetry'),
        explanation: expect.stringContaining('tributary-dev-device'),
        fix: expect.any(String),
      }),
    );
  });

  it('never ends a process: the next message is stored', async () => {
    await publishHttps(laptop, device, 'dt/acme/probe-1/status', '{"alive": true}');
    await laptop.idle();
    expect(await storedReadings(laptop, 'probe-1')).toContainEqual(
      expect.objectContaining({ kind: 'status', metrics: { alive: true } }),
    );
  });
});
