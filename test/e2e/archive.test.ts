import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, expect, it } from '@jest/globals';
import { bootLaptop, publishHttps, storedReadings, type TestLaptop } from '../support/laptop.ts';

let laptop: TestLaptop;
afterEach(() => laptop.close());

const BUCKET = 'tributary-dev-archive-000000000000-eu-central-1';

/** Every object of the archive, by its key. */
function archived(): Map<string, string> {
  const folder = join(laptop.objectsDirectory, BUCKET);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Map(
    files
      .filter((file) => file.isFile())
      .map((file) => {
        const path = join(file.parentPath, file.name);
        return [path.slice(folder.length + 1), gunzipSync(readFileSync(path)).toString()];
      }),
  );
}

it('with the raw archive switched on, each uplink is in the bucket as it came, and is stored as well', async () => {
  laptop = await bootLaptop({ params: { rawArchive: 'enabled' } });
  const device = await laptop.addDevice('probe-1', 'acme');
  const payloads = ['{"a": 1}', 'no JSON', '{"a": 2}'];
  for (const payload of payloads) {
    await publishHttps(laptop, device, 'dt/acme/probe-1/telemetry', payload);
  }
  await laptop.idle();

  const objects = archived();
  const [key = ''] = objects.keys();
  expect(key).toMatch(
    /^uplinks\/\d{4}\/\d\d\/\d\d\/\d\d\/tributary-dev-archive-1-[\d-]{19}-[0-9a-f-]{36}\.gz$/,
  );
  const lines = [...objects.values()].join('').trimEnd().split('\n');
  const carried = lines.map((line) => Buffer.from(JSON.parse(line).data, 'base64').toString());
  expect(carried).toEqual(payloads);
  expect(await storedReadings(laptop, 'probe-1')).toHaveLength(2);
  const notices = laptop.notices.map(({ type }) => type);
  expect(notices.filter((type) => /S3::Bucket$|Firehose|SNS::Topic$/.test(type))).toEqual([]);
});
