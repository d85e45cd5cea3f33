import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDevice, publishHttps } from '../support/laptop.ts';
import { copyOfProject } from '../support/project-copy.ts';

/** Away from the ports that somebody may be using here. */
const OFFSET = '21000';

let project: ReturnType<typeof copyOfProject>;
beforeAll(() => {
  project = copyOfProject();
});
afterAll(() => project.remove());

const identityOf = (thing: string) => {
  const file = (...path: string[]) =>
    readFileSync(join(project.folder, '.tributary', ...path), 'utf8');
  return {
    thing,
    fleet: 'demo',
    certificatePem: file('devices', thing, 'certificate.pem'),
    privateKeyPem: file('devices', thing, 'private.key'),
    caPem: file('pki', 'ca.pem'),
  };
};

describe('with nothing running', () => {
  it.each([['readings', 'my-device'], ['device', 'list'], ['anomalies', 'list'], ['replay']])(
    '%s says so and exits 1',
    async (...args) => {
      const { code, err } = await project.run(...args);
      expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('npm start') });
    },
  );

  it.each([
    { args: ['readings'], says: 'Which device?' },
    { args: ['readings', 'a b'], says: 'Which device?' },
    { args: ['readings', 'a', '--hours', 'x'], says: '--hours wants a number' },
    { args: ['device', 'paint'], says: 'add, list, rotate, revoke, secret, enrol' },
    { args: ['device', 'rotate'], says: 'a thing is named' },
    { args: ['device', 'secret', 'guess', 'a'], says: 'secret issue, secret list, secret revoke' },
    { args: ['device', 'secret', 'issue', 'a', '--days', '0'], says: '--days wants' },
    { args: ['device', 'secret', 'revoke', 'a', '--id', 'trs1_x'], says: '--id wants' },
    { args: ['device', 'rotate', 'a', '--days', '3'], says: '--days is not for `rotate`' },
    { args: ['device', 'secret', 'list', 'a', '--id', 'b'], says: '--id is not for `secret list`' },
    { args: ['device', 'enrol', 'SN-1', '--fleet', 'demo'], says: '--thing: a thing is named' },
    { args: ['replay', '--max', '0'], says: '--max wants' },
    { args: ['start', '--port-offset', '-1'], says: '--port-offset' },
    { args: ['start', '--colour'], says: '--colour' },
    { args: ['start', '--param', 'jwtAuthorizer'], says: '--param wants <name>=<value>' },
    { args: ['start', '--fault', 'stuck:sensor-9'], says: 'there are sensor-1, sensor-2' },
    { args: ['start', '--no-fleet', '--fault', 'stuck:sensor-3'], says: '--no-fleet leaves out' },
    { args: ['anomalies', 'show'], says: 'show wants an id' },
    { args: ['audit', 'guess'], says: 'there are run, show, trail' },
    { args: ['audit', 'trail', '--check', 'x'], says: '--check is not for `trail`' },
    { args: ['anomalies', 'show', 'x', '--metric', 'y'], says: '--metric is not for `show`' },
    { args: ['incident', 'show', 'x', '--why', 'y'], says: '--why is not for `show`' },
    { args: ['codec', 'list', '--thing', 'x'], says: '--thing is not for `list`' },
    { args: ['lorawan', 'send', 'x', '00', '--codec', 'y'], says: '--codec is not for `send`' },
    { args: ['nonsense'], says: "no command 'nonsense'" },
  ])('$args is called wrongly and exits 2', async ({ args, says }) => {
    const { code, err } = await project.run(...args);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(says) });
  });

  it.each(['start', 'readings', 'device', 'anomalies', 'replay', 'invoke'])(
    '%s explains itself with --help',
    async (name) => {
      const { code, out } = await project.run(name, '--help');
      expect(code).toBe(0);
      expect(out).toContain(`npm ${name === 'start' ? 'start' : `run ${name}`} -- `);
    },
  );
});

it('npm start runs the service, the commands work beside it, and Ctrl-C ends it cleanly', async () => {
  const secrets = ['--param', 'passwordAuthorizer=enabled'];
  const laptop = project.start('start', '--no-fleet', '--port-offset', OFFSET, ...secrets);
  await laptop.says(/Ctrl-C ends it/);
  const file = JSON.parse(readFileSync(join(project.folder, '.tributary/laptop.json'), 'utf8'));
  expect(file).toMatchObject({ stage: 'dev', mqttPort: 29_883, httpsPort: 29_443 });

  const device = identityOf('my-device');
  const client = await connectDevice(file, device);
  await client.publishAsync('dt/demo/my-device/telemetry', '{"temperature": 21.5}', { qos: 1 });
  await client.publishAsync('dt/demo/my-device/telemetry', 'no json', { qos: 1 });
  await client.endAsync();
  await laptop.says(/stored: mqtt 1 .* dead letters: 1/);

  const shown = await project.run('readings', 'my-device', '--json');
  expect(JSON.parse(shown.out)).toEqual([
    expect.objectContaining({ metrics: { temperature: 21.5 } }),
  ]);
  const listed = await project.run('replay', '--list');
  expect(listed).toMatchObject({
    code: 0,
    out: expect.stringMatching(/MALFORMED_PAYLOAD.*\nDead letters: 1\./),
  });
  const again = await project.run('replay', '--json');
  expect(JSON.parse(again.out)).toMatchObject({
    letters: [{ code: 'MALFORMED_PAYLOAD' }],
    failures: [],
  });

  const added = await project.run('device', 'add', 'cellar-1', '--fleet', 'demo', '--json');
  expect(JSON.parse(added.out)).toMatchObject({ thing: 'cellar-1', fleet: 'demo' });
  const cellar = identityOf('cellar-1');
  expect(await publishHttps(file, cellar, 'dt/demo/cellar-1/telemetry', '{"a": 1}')).toMatchObject({
    status: 200,
  });
  const rotated = await project.run('device', 'rotate', 'cellar-1', '--json');
  expect(JSON.parse(rotated.out)).toMatchObject({ thing: 'cellar-1', fleet: 'demo' });
  for (const either of [cellar, identityOf('cellar-1')]) {
    const answer = await publishHttps(file, either, 'dt/demo/cellar-1/telemetry', '{"a": 1}');
    expect(answer.status).toBe(200);
  }
  const secret = await project.run('device', 'secret', 'issue', 'cellar-1');
  expect(secret).toMatchObject({ code: 0, out: expect.stringMatching(/^ {2}trs1_\S{66}$/m) });
  const enrolled = await project.run('device', 'enrol', 'SN-1', '--thing', 'a', '--fleet', 'demo');
  expect(enrolled).toMatchObject({ code: 1, err: expect.stringContaining('fleetProvisioning') });
  const revoked = await project.run('device', 'revoke', 'cellar-1');
  expect(revoked).toMatchObject({
    code: 0,
    out: expect.stringContaining('2 certificates and 1 secret revoked'),
  });
  expect(await publishHttps(file, cellar, 'dt/demo/cellar-1/telemetry', '{"a": 1}')).toMatchObject({
    status: 401,
  });
  const list = await project.run('device', 'list');
  expect(list.out).toMatch(/cellar-1 +demo +[0-9a-f]{12}… REVOKED/);

  const audited = await project.run('audit');
  expect(audited).toMatchObject({
    code: 1,
    err: expect.stringContaining('13 checks are enabled now'),
    out: expect.stringMatching(/\nLOW LOGGING_DISABLED_CHECK\n {2}account 000000000000\n/),
  });

  const resumed = await project.run('incident', 'resume', '--json');
  expect(JSON.parse(resumed.out)).toEqual({ resumed: false });

  laptop.interrupt();
  const { code, out, err } = await laptop.ended;
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain('Stopping …');
  expect(existsSync(join(project.folder, '.tributary/laptop.json'))).toBe(false);
});

it('npm start names a port that is in use', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(8443 + 22_000, '127.0.0.1', resolve));
  const { code, err } = await project.run('start', '--no-fleet', '--port-offset', '22000');
  server.close();
  expect({ code, err }).toEqual({
    code: 1,
    err: expect.stringMatching(/^Port 30443 is in use\. .*--port-offset/),
  });
});

it.each([
  { args: ['ingest', 'refused-topic'], says: 'MALFORMED_TOPIC' },
  { args: ['decode', 'not-for-codecs'], says: '"batchItemFailures": []' },
  {
    args: ['dashboard', 'admit', '--param', 'dashboards=enabled'],
    says: 'PUT /target-policies/{policyName}: {"policyName":"tributary-dev-dashboard"',
  },
])(
  'npm run invoke $args runs a sample, offline and without credentials',
  async (given) => {
    const { code, out, err } = await project.run('invoke', ...given.args);
    expect(code).toBe(0);
    expect(`${out}${err}`).toContain(given.says);
  },
  60_000,
);
