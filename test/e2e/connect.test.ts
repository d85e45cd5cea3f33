import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { createAuthority, issueClient } from '../../local/pki/index.ts';
import { bootLaptop, storedReadings, type TestLaptop } from '../support/laptop.ts';
import { type Block, blocksOf, exportedBy, readBy } from '../support/page-blocks.ts';
import { type Environment, freePort, isThere, type Outcome, openShell } from '../support/shell.ts';
import { resourcesOf, type Template } from '../support/template.ts';

/**
 * Every block of docs/connect.md as a reader would use it: the files in a folder, the variables in the environment, the
 * commands in a shell. Real clients, the packaged service; each command once more with one wrong credential.
 */
const PAGE = 'docs/connect.md';
const BLOCKS = blocksOf(PAGE);
const block = (label: string): Block => {
  const found = BLOCKS.find((one) => one.label === label);
  if (found === undefined) throw new Error(`${PAGE} has no block ${label}`);
  return found;
};

const THING = 'my-device';
const FLEET = 'demo';
/** Where the page's own issuer listens; here it takes a port that is free. */
const ISSUER = 'localhost:9990';
/** Its tokens are good for that long, and no test takes longer. */
const HOUR_MS = 3_600_000;
const VALIDITY = { notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + HOUR_MS };

const MAPPING = 'AWS::Lambda::EventSourceMapping';

const folder = mkdtempSync(join(tmpdir(), 'tributary-connect-'));
const tributary = (...path: string[]): string => join(folder, '.tributary', ...path);
let laptop: TestLaptop;
let data: IoTDataPlaneClient;
/** What a reader's terminal has at the end: the page's variables, with the ports of this laptop. */
let terminal: Environment = {};
let stopIssuer: () => Promise<unknown> = async () => undefined;

const run = openShell(folder);

/** Runs a block that sets variables. @returns them */
async function exported(...labels: string[]): Promise<Environment> {
  const blocks = labels.map(block);
  const show = 'node -e "process.stdout.write(JSON.stringify(process.env))"';
  const { code, said } = await run([...blocks.map(({ text }) => text), show].join('\n'), terminal)
    .ended;
  if (code !== 0) throw new Error(said);
  const all = JSON.parse(said) as Record<string, string>;
  return Object.fromEntries(
    blocks.flatMap(exportedBy).map((name): [string, string] => [name, all[name] ?? '']),
  );
}

/** The template as the page's parameters make it, but for the signing key and the issuer's port, which are this test's. */
function withKeyAndIssuer(template: Template, publicKey: string, issuerPort: number): void {
  const text = JSON.stringify(template.Resources, (name, value: unknown) =>
    name === 'TokenSigningPublicKeys' ? { current: publicKey } : value,
  ).replaceAll(`${ISSUER}/keys`, `localhost:${issuerPort}/keys`);
  Object.assign(template.Resources, JSON.parse(text));
}

beforeAll(async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const issuerPort = await freePort();
  const { dev } = parse(block('parameters').text) as { dev: Record<string, string> };
  laptop = await bootLaptop({
    params: dev,
    change: (template) => {
      const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
      withKeyAndIssuer(template, pem, issuerPort);
      // readings are waited for one by one
      for (const [, { Properties = {} }] of resourcesOf(template, MAPPING))
        Object.assign(Properties, { MaximumBatchingWindowInSeconds: 0, BatchSize: 10 });
    },
    certificateDirectory: tributary(),
  });
  data = new IoTDataPlaneClient(laptop.client);
  await laptop.addDevice(THING, FLEET);
  const authority = await createAuthority([['CN', 'Nobody']], VALIDITY);
  const name = [
    ['CN', THING],
    ['O', FLEET],
  ] as const;
  const stranger = await issueClient(authority, name, VALIDITY);
  writeFileSync(join(folder, 'stranger-ca.pem'), authority.certificatePem);
  writeFileSync(join(folder, 'stranger.pem'), stranger.certificatePem);
  writeFileSync(join(folder, 'stranger.key'), stranger.privateKeyPem);
  writeFileSync(
    tributary('laptop.json'),
    JSON.stringify({ ...laptop, pid: process.pid, stage: 'dev' }),
  );
  for (const part of ['node_modules', 'package.json', 'commands', 'local', 'shared']) {
    symlinkSync(resolve(part), join(folder, part));
  }
  for (const { language, label, text } of BLOCKS)
    if (language === 'js') writeFileSync(join(folder, label), text);
  mkdirSync(tributary('token-signing', 'dev'), { recursive: true });
  writeFileSync(
    tributary('token-signing', 'dev', 'private.key'),
    privateKey.export({ type: 'pkcs8', format: 'pem' }),
  );
  terminal = {
    ...(await exported('laptop')),
    MQTT_PORT: String(laptop.mqttPort),
    HTTPS_PORT: String(laptop.httpsPort),
    PORT_443: String(laptop.port443),
    LAPTOP: laptop.awsEndpoint,
    ISSUER_PORT: String(issuerPort),
  };
  const token = await new Promise<string>((known) => {
    const told = (said: string) => {
      if (said.endsWith('\n')) known(said.trim());
    };
    const { ended, end } = run('node issuer.mjs', terminal, {
      onOutput: told,
      patienceMs: HOUR_MS,
    });
    stopIssuer = () => {
      end();
      return ended;
    };
  });
  terminal = { ...terminal, TOKEN: token };
  terminal = { ...terminal, ...(await exported('issue-secret')) };
  if (isThere('openssl')) terminal = { ...terminal, ...(await exported('sign-token')) };
});
afterAll(async () => {
  data.destroy();
  await stopIssuer();
  await laptop.close();
  rmSync(folder, { recursive: true, force: true });
});

const COMMAND = `cmd/${FLEET}/${THING}/blink {"blink": 3}`;

/** Blocks that are not clients, but what clients need, or what shows what became of it. */
const STEPS = [
  'laptop',
  'aws',
  'parameters',
  'sign-token',
  'issue-secret',
  'readings',
  'refusals',
  'mosquitto-listen',
  'curl-command',
  'lorawan',
  'issuer.mjs',
  'https.mjs',
  'presign.mjs',
  'mqtt.mjs',
  'sdk.mjs',
];

type Proof = 'certificate' | 'sigv4' | 'token' | 'jwt' | 'secret';

/** Clients of the page, by the label of their block or their line in a block `each`; what they prove themselves by. */
const CLIENTS: readonly { readonly client: string; readonly by: Proof }[] = [
  { client: 'mosquitto-certificate', by: 'certificate' },
  { client: 'mosquitto-certificate-443', by: 'certificate' },
  { client: 'mosquitto-token', by: 'token' },
  { client: 'mosquitto-secret', by: 'secret' },
  { client: 'curl-certificate', by: 'certificate' },
  { client: 'curl-sigv4', by: 'sigv4' },
  { client: 'curl-token', by: 'token' },
  { client: 'curl-jwt', by: 'jwt' },
  { client: 'curl-secret', by: 'secret' },
  { client: 'aws-sigv4', by: 'sigv4' },
  { client: 'node https.mjs', by: 'certificate' },
  { client: 'node mqtt.mjs certificate', by: 'certificate' },
  { client: 'node mqtt.mjs certificate-443', by: 'certificate' },
  { client: 'node mqtt.mjs token', by: 'token' },
  { client: 'node mqtt.mjs secret', by: 'secret' },
  { client: 'node mqtt.mjs wss-sigv4', by: 'sigv4' },
  { client: 'node mqtt.mjs wss-token-in-headers', by: 'token' },
  { client: 'node mqtt.mjs wss-token-in-query', by: 'token' },
  { client: 'node mqtt.mjs wss-token-in-username', by: 'token' },
  { client: 'node mqtt.mjs wss-secret', by: 'secret' },
  { client: 'node sdk.mjs certificate', by: 'certificate' },
  { client: 'node sdk.mjs certificate-443', by: 'certificate' },
  { client: 'node sdk.mjs token', by: 'token' },
  { client: 'node sdk.mjs secret', by: 'secret' },
  { client: 'node sdk.mjs wss-sigv4', by: 'sigv4' },
  { client: 'node sdk.mjs wss-token', by: 'token' },
];

/** Who the reading says that it is from. */
const PRINCIPAL: Readonly<Record<Proof, RegExp>> = {
  certificate: /^[0-9a-f]{64}$/,
  sigv4: /^000000000000$/,
  token: /^token[0-9a-f]{64}$/,
  jwt: /^token[0-9a-f]{64}$/,
  secret: /^secret[0-9a-f]{64}$/,
};

/** One credential that is wrong, and what the operator is told of it. */
const WRONG: Readonly<Record<Proof, { change: () => Environment; reason: string }>> = {
  certificate: {
    change: () => ({
      CERT_FILE: join(folder, 'stranger.pem'),
      KEY_FILE: join(folder, 'stranger.key'),
    }),
    reason: 'UNKNOWN_ISSUER',
  },
  sigv4: { change: () => ({ AWS_SECRET_ACCESS_KEY: 'wrong' }), reason: 'SIGV4_SIGNATURE' },
  token: {
    change: () => ({ TOKEN: `${terminal['TOKEN']?.slice(0, -4)}AAAA` }),
    reason: 'AUTHORIZER_TOKEN_SIGNATURE',
  },
  jwt: {
    change: () => ({ TOKEN: `${terminal['TOKEN']?.slice(0, -4)}AAAA` }),
    reason: 'AUTHORIZER_NOT_AUTHENTICATED',
  },
  secret: {
    change: () => ({ DEVICE_SECRET: `${terminal['DEVICE_SECRET']?.slice(0, -4)}AAAA` }),
    reason: 'AUTHORIZER_NOT_AUTHENTICATED',
  },
};

const scriptOf = (client: string): string =>
  BLOCKS.find(({ label }) => label === client)?.text ?? client;

/** Programs that a client takes beyond Node, by what its label begins with. */
const PROGRAMS: Readonly<Record<string, string>> = {
  mosquitto: 'mosquitto_pub',
  curl: 'curl',
  aws: 'aws',
};
const programsOf = ({ client, by }: (typeof CLIENTS)[number]): string[] => [
  ...[PROGRAMS[client.split('-')[0] ?? ''] ?? []].flat(),
  ...(by === 'token' ? ['openssl'] : []),
];

/** With a program that this machine lacks, a group that says so instead of running. */
function describeWith(programs: readonly string[], name: string, tests: () => void): void {
  const lacking = programs.filter((program) => !isThere(program));
  if (lacking.length === 0) describe(name, tests);
  else describe.skip(`${name}: NOT TESTED, this machine has no ${lacking.join(', ')}`, tests);
}

const sendCommand = () =>
  data.send(
    new PublishCommand({
      topic: `cmd/${FLEET}/${THING}/blink`,
      payload: Buffer.from('{"blink": 3}'),
      qos: 1,
    }),
  );

/** Runs a client; one that listens as well is sent a command once it does. */
function attempt(client: string, environment: Environment): Promise<Outcome> {
  let waits = false;
  const onOutput = (said: string): void => {
    if (waits || !said.includes('waits for a command')) return;
    waits = true;
    void sendCommand();
  };
  return run(scriptOf(client), environment, { onOutput }).ended;
}

const newestRefusal = () => laptop.refusals({ limit: 1 })[0];

for (const each of CLIENTS) {
  const { client, by } = each;
  describeWith(programsOf(each), client, () => {
    it('publishes a reading, and hears a command if it listens', async () => {
      const before = await storedReadings(laptop, THING);
      const { code, said } = await attempt(client, terminal);
      expect({ code, said }).toEqual({ code: 0, said });
      if (said.includes('waits for')) expect(said).toContain(COMMAND);
      await laptop.idle();
      const [reading, ...others] = (await storedReadings(laptop, THING)).slice(before.length);
      expect(reading).toMatchObject({
        metrics: { temperature: 21.5 },
        principal: expect.stringMatching(PRINCIPAL[by]),
      });
      expect(others).toEqual([]);
    });

    it('is refused with one credential that is wrong, and the reason is told', async () => {
      const before = newestRefusal()?.number ?? 0;
      const { code, said } = await attempt(client, { ...terminal, ...WRONG[by].change() });
      expect({ said, failed: code !== 0 }).toEqual({ said, failed: true });
      const refusals = laptop.refusals({ after: before });
      expect(refusals).toMatchObject([{ reason: WRONG[by].reason }]);
    });
  });
}

const TRUSTING = CLIENTS.filter(
  (each) => each.by === 'certificate' && programsOf(each).every(isThere),
);

it.each(TRUSTING)('$client does not speak to a server of another authority', async ({ client }) => {
  const stored = await storedReadings(laptop, THING);
  const CA_FILE = join(folder, 'stranger-ca.pem');
  const { code, said } = await attempt(client, { ...terminal, CA_FILE });
  expect({ said, failed: code !== 0 }).toEqual({ said, failed: true });
  await laptop.idle();
  expect(await storedReadings(laptop, THING)).toHaveLength(stored.length);
});

describeWith(['mosquitto_sub', 'curl'], 'mosquitto_sub', () => {
  it('hears the command that curl sends', async () => {
    let heard = false;
    const listening = run(scriptOf('mosquitto-listen'), terminal).ended.then((outcome) => {
      heard = true;
      return outcome;
    });
    // it does not say when it has subscribed
    while (!heard)
      expect(await run(scriptOf('curl-command'), terminal).ended).toMatchObject({ code: 0 });
    expect(await listening).toMatchObject({ code: 0, said: `${COMMAND}\n` });
  });

  it('is refused with a certificate that is wrong, and the reason is told', async () => {
    const { change, reason } = WRONG.certificate;
    const { code } = await run(scriptOf('mosquitto-listen'), { ...terminal, ...change() }).ended;
    expect(code).not.toBe(0);
    expect(newestRefusal()).toMatchObject({ reason });
  });
});

it('a LoRaWAN device joins, and sends a reading', async () => {
  const { code, said } = await run(block('lorawan').text, terminal).ended;
  expect({ code, said }).toEqual({ code: 0, said });
  await laptop.idle();
  expect(await storedReadings(laptop, 'meter-1')).toMatchObject([
    { transport: 'lorawan', fleet: FLEET, metrics: { 'temperature.1': 21.5 } },
  ]);
});

describeWith(['curl'], 'the page to its reader', () => {
  it('shows what is stored, and what was refused', async () => {
    await attempt('node https.mjs', terminal);
    await laptop.idle();
    const stored = await run(block('readings').text, terminal).ended;
    expect(stored).toMatchObject({ code: 0, said: expect.stringContaining('21.5') });
    const { change, reason } = WRONG.certificate;
    await attempt('node https.mjs', { ...terminal, ...change() });
    const refused = await run(block('refusals').text, terminal).ended;
    expect(JSON.parse(refused.said).refusals.at(-1)).toMatchObject({ reason });
  });
});

describe('the page', () => {
  it('has no block that is not run here', () => {
    const lines = BLOCKS.flatMap(({ label, text }) =>
      label === 'each' ? text.trim().split('\n') : [label],
    );
    const known = [...CLIENTS.map(({ client }) => client), ...STEPS];
    expect(missing(lines, known)).toEqual([]);
    expect(missing(known, lines)).toEqual([]);
    const fences = readFileSync(PAGE, 'utf8').match(/^```/gm) ?? [];
    expect(fences).toHaveLength(2 * BLOCKS.length);
  });

  it('says how to set every variable that it reads, for the laptop and for AWS', () => {
    const steps = ['sign-token', 'issue-secret'].map(block).flatMap(exportedBy);
    const onLaptop = exportedBy(block('laptop'));
    const read = BLOCKS.filter(({ label }) => label !== 'aws').flatMap(readBy);
    const said = ['TOKEN', 'PWD', 'AWS_SESSION_TOKEN', 'ISSUER_PORT'];
    expect(missing(read, [...onLaptop, ...steps, ...said])).toEqual([]);
    const yours = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'LAPTOP'];
    expect(missing(onLaptop, [...exportedBy(block('aws')), ...yours])).toEqual([]);
    expect(spawnSync('sh', ['-n', '-c', block('aws').text]).status).toBe(0);
  });
});

const missing = (wanted: readonly string[], there: readonly string[]): string[] =>
  [...new Set(wanted)].filter((name) => !there.includes(name));
