import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { main } from '../../commands/main.ts';
import { packageService } from '../support/template.ts';

const TEMPLATE = join(packageService().directory, 'cloudformation-template-update-stack.json');

/** What `npm run explain -- …` prints, and how it ends. */
async function explain(...words: string[]) {
  const printed: string[] = [];
  const out = (text: string): void => void printed.push(text);
  const args = ['explain', '--template', TEMPLATE, ...words];
  const code = await main(args, { out, err: out });
  return { code, text: printed.join('') };
}

const device = (action: string, resource: string, ...more: string[]) =>
  explain(
    ...['--principal', 'tributary-dev-device', '--action', action, '--resource', resource],
    ...['--thing', 'probe-1', '--fleet', 'acme', ...more],
  );

describe('npm run explain', () => {
  it('says by which statement a device may, with the values', async () => {
    const { code, text } = await device('iot:Publish', 'topic/dt/acme/probe-1/telemetry');
    expect(code).toBe(0);
    expect(text).toMatch(/^Allowed: .*statement 1 .*Attributes\[fleet\] = "acme"/);
  });

  it('says why it may not, by the statement that comes nearest, and what would change that', async () => {
    const topic = 'topic/dt/acme/probe-2/telemetry';
    const { code, text } = await device('iot:Publish', topic, '--https');
    expect(code).toBe(1);
    expect(text).toMatch(
      /^Refused: .*allows .*topic\/dt\/acme\/probe-1\/\*.*CommonName = "probe-1"/,
    );
    expect(text).toMatch(/To allow it: add Allow iot:Publish on .*probe-2\/telemetry\./);
  });

  it('knows what a client id that is no thing lacks', async () => {
    const { text } = await device('iot:Connect', 'client/other', '--client-id', 'other');
    expect(text).toContain('connect as `probe-1`');
  });

  it('answers for functions, by their role', async () => {
    const stream = 'arn:aws:kinesis:eu-central-1:000000000000:stream/tributary-dev';
    const ask = (resource: string) =>
      explain('--principal', 'ingest', '--action', 'kinesis:PutRecords', '--resource', resource);
    expect(await ask(`${stream}-readings`)).toMatchObject({ code: 0 });
    expect(await ask(`${stream}-uplinks`)).toMatchObject({
      code: 1,
      text: expect.stringContaining('stream/tributary-dev-readings'),
    });
  });

  it('prints data where it is asked to', async () => {
    const { text } = await device('iot:Publish', 'topic/dt/acme/probe-1/telemetry', '--json');
    expect(JSON.parse(text)).toMatchObject({ allowed: true, policy: 'tributary-dev-device' });
  });

  it('names who there is when it knows nobody of that name, and what is missing', async () => {
    const unknown = await explain('--principal', 'x', '--action', 'iot:Connect', '--resource', '*');
    expect(unknown).toMatchObject({
      code: 1,
      text: expect.stringContaining('tributary-dev-device'),
    });
    expect(await explain('--principal', 'x')).toMatchObject({
      code: 2,
      text: expect.stringContaining('--action'),
    });
  });
});
