import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MqttClient } from 'mqtt';
import { compilePolicies } from '../../local/core/policy/index.ts';
import { resolveTemplate } from '../../local/core/template/index.ts';
import { seeded } from '../../local/fleet/random.ts';
import { deviceDocuments, type PolicyDocument } from '../../shared/core/access/device-documents.ts';
import { authorizer } from '../local/core/authorizer/token-world.ts';
import {
  type OracleContext,
  type OracleStatement,
  oracleAllows,
} from '../local/core/policy/oracle.ts';
import { type AccessWorld, answer, openAccessWorld } from '../local/servers/access-world.ts';
import { connected } from '../local/servers/gateway-world.ts';
import { presign, signInHeader } from '../support/signer.ts';
import { packageService, resourcesOf } from '../support/template.ts';

/**
 * Twenty devices, each acting as each: what the gateway lets happen is what an evaluator says that shares no code
 * with it, and that is: oneself, and nobody else. A seeded share of the pairs; all of them with MATRIX=whole.
 */
const SIZE = 20;
const FLEETS = ['f1', 'f1', 'f2'];
const ARN = 'arn:aws:iot:eu-central-1:000000000000:';

interface Device {
  readonly thing: string;
  readonly fleet: string;
}

/** Names that begin alike, so that a prefix taken for the whole is found out. */
const DEVICES: readonly Device[] = Array.from({ length: SIZE }, (_, index) => ({
  thing: `probe-${index}`,
  fleet: FLEETS[index % FLEETS.length] ?? '',
}));

const PAIRS = DEVICES.flatMap((self, a) => DEVICES.map((other, b) => ({ self, other, a, b })));
const random = seeded(20);
const SHARE =
  process.env['MATRIX'] === 'whole'
    ? PAIRS
    : PAIRS.filter(({ a, b }) => a === b || random() < 0.15);

/** For what holds for every device alike. */
const ANY = DEVICES[0] ?? { thing: '', fleet: '' };

type Pair = (typeof PAIRS)[number];

const list = (value: unknown): string[] => [value].flat().map(String);

/** A policy in the words of the evaluator. */
const statementsOf = (policy: unknown): OracleStatement[] =>
  [policy]
    .flat()
    .flatMap((document) => (document as { Statement: Record<string, unknown>[] }).Statement)
    .map((statement) => ({
      Effect: statement['Effect'] === 'Deny' ? 'Deny' : 'Allow',
      Action: list(statement['Action']),
      Resource: list(statement['Resource']),
      Condition: Object.fromEntries(
        Object.entries(
          (statement['Condition'] ?? {}) as Record<string, Record<string, unknown>>,
        ).map(([operator, keys]) => [
          operator,
          Object.fromEntries(Object.entries(keys).map(([key, values]) => [key, list(values)])),
        ]),
      ),
    }));

const PLACE = {
  accountId: '000000000000',
  region: 'eu-central-1',
  partition: 'aws',
  stage: 'dev',
  domains: [],
} as const;
const TELEMETRY_RULE = 'tributary_dev_telemetry';
const stack = resolveTemplate(packageService().template, { ...PLACE, stackName: 'tributary-dev' });
const DEVICE_POLICY = stack.resources.get('DevicePolicy')?.properties['PolicyDocument'];

const telemetry = ({ thing, fleet }: Device): string => `dt/${fleet}/${thing}/telemetry`;
const commands = ({ thing, fleet }: Device): string => `cmd/${fleet}/${thing}/#`;

/** What the service's own authorizer says of one device; IAM says the same of whoever signs with its keys. */
const grantOf = (device: Device): readonly PolicyDocument[] =>
  deviceDocuments(device, PLACE, false);

/** Secret keys of the devices that sign, by the id of the key: the thing's name. */
const KEYS = Object.fromEntries(
  DEVICES.map((device) => [
    device.thing,
    {
      secretAccessKey: `secret of ${device.thing}`,
      signer: {
        principal: device.thing,
        isOperator: false,
        policies: compilePolicies(
          grantOf(device).map((document, at) => ({ name: String(at), document })),
          'iam',
        ),
      },
    },
  ]),
);
const signing = ({ thing }: Device) => ({
  atMs: Date.now(),
  accessKeyId: thing,
  secretAccessKey: `secret of ${thing}`,
});

/** Rules that are not for what devices measure: what they are told becomes an event of the cloud. */
const CONTROL_RULES = resourcesOf(packageService().template, 'AWS::IoT::TopicRule')
  .map(([, { Properties }]) => String(Properties?.['RuleName']))
  .filter((name) => name !== TELEMETRY_RULE);

const certificateOf = ({ thing, fleet }: Device): OracleContext => ({
  'iot:Certificate.Subject.CommonName': thing,
  'iot:Certificate.Subject.Organization': fleet,
});

/** The variables of a connection with the certificate of `self` under the client id of `as`. */
const connectionOf = (self: Device, as: Device): OracleContext => ({
  ...certificateOf(self),
  'iot:ClientId': as.thing,
  'iot:Connection.Thing.IsAttached': String(self === as),
  ...(self === as && {
    'iot:Connection.Thing.ThingName': self.thing,
    'iot:Connection.Thing.Attributes[fleet]': self.fleet,
  }),
});

it('the template has rules for events of the cloud', () => {
  const named = ['registration', 'connection', 'presence', 'lorawan'];
  expect(CONTROL_RULES).toEqual(
    expect.arrayContaining(named.map((name) => `tributary_dev_${name}`)),
  );
});

let world: AccessWorld;

beforeAll(async () => {
  world = await openAccessWorld({
    authorizers: [authorizer({ name: 'plain', signingDisabled: true })],
    defaultAuthorizer: 'plain',
    keys: KEYS,
    decide: ({ protocolData: { http, mqtt }, token }) => {
      const name = token ?? http?.headers['token'] ?? mqtt?.['username'];
      const device = DEVICES.find(({ thing }) => thing === name);
      if (device === undefined) return { isAuthenticated: false };
      return answer({
        policyDocuments: grantOf(device),
        principalId: device.thing.replace('-', ''),
      });
    },
  });
  world.registry.setPolicy(DEVICE_POLICY);
  for (const { thing, fleet } of DEVICES) await world.device(thing, fleet);
});
afterAll(() => world.close());

interface Way {
  readonly policy: (self: Device) => unknown;
  readonly context: (self: Device, as: Device) => OracleContext;
  readonly connect: (self: Device, as: Device) => Promise<MqttClient>;
}

const MQTT5 = { protocolVersion: 5 } as const;

const WAYS: Record<string, Way> = {
  'MQTT with certificates': {
    policy: () => DEVICE_POLICY,
    context: connectionOf,
    connect: (self, as) => world.client(self.thing, { clientId: as.thing, ...MQTT5 }, self.fleet),
  },
  'MQTT with an authorizer': {
    policy: grantOf,
    context: (_, as) => ({ 'iot:ClientId': as.thing }),
    connect: async (self, as) =>
      world.overTls({
        clientId: as.thing,
        username: `u?token=${self.thing}`,
        ALPNProtocols: ['mqtt'],
        ...MQTT5,
      }),
  },
  'WSS with an authorizer': {
    policy: grantOf,
    context: (_, as) => ({ 'iot:ClientId': as.thing }),
    connect: async (self, as) =>
      world.overWss(`?token=${self.thing}`, { clientId: as.thing, ...MQTT5 }),
  },
  'WSS with SigV4': {
    policy: grantOf,
    context: (_, as) => ({ 'iot:ClientId': as.thing }),
    connect: async (self, as) => {
      const headers = { host: `localhost:${world.port443}` };
      const { query } = await presign({ headers }, signing(self));
      return world.overWss(`?${query}`, { clientId: as.thing, ...MQTT5 });
    },
  },
};

const succeeds = (promise: Promise<unknown>): Promise<boolean> =>
  promise.then(
    () => true,
    () => false,
  );

const verdict = (
  statements: readonly OracleStatement[],
  action: string,
  resource: string,
  context: OracleContext,
): boolean => oracleAllows(statements, { action, resource: `${ARN}${resource}`, context });

/** One line a pair that comes out otherwise than it is to. */
const told = ({ self, other }: Pair, what: string, seen: boolean, oracle: boolean): string[] =>
  seen === oracle && seen === (self === other)
    ? []
    : [`${self.thing} as ${other.thing}, ${what}: gateway ${seen}, evaluator ${oracle}`];

describe.each(Object.entries(WAYS))('over %s', (_, { policy, context, connect }) => {
  it('each device connects under its own name and no other', async () => {
    const wrong: string[] = [];
    for (const pair of SHARE) {
      const client = await connect(pair.self, pair.other);
      const seen = await succeeds(connected(client));
      client.end(true);
      const expected = verdict(
        statementsOf(policy(pair.self)),
        'iot:Connect',
        `client/${pair.other.thing}`,
        context(pair.self, pair.other),
      );
      wrong.push(...told(pair, 'connect', seen, expected));
    }
    expect(wrong).toEqual([]);
  });

  it('each device publishes and subscribes under its own topic and no other', async () => {
    const wrong: string[] = [];
    for (const self of DEVICES) {
      const pairs = SHARE.filter((pair) => pair.self === self);
      const client = await connected(await connect(self, self));
      const statements = statementsOf(policy(self));
      const own = context(self, self);
      for (const pair of pairs) {
        const topic = telemetry(pair.other);
        const published = await succeeds(client.publishAsync(topic, '{}', { qos: 1 }));
        const mayPublish = verdict(statements, 'iot:Publish', `topic/${topic}`, own);
        wrong.push(...told(pair, 'publish', published, mayPublish));
        const filter = commands(pair.other);
        const subscribed = await succeeds(client.subscribeAsync(filter, { qos: 1 }));
        const maySubscribe = verdict(statements, 'iot:Subscribe', `topicfilter/${filter}`, own);
        wrong.push(...told(pair, 'subscribe', subscribed, maySubscribe));
      }
      client.end(true);
    }
    expect(wrong).toEqual([]);
  });

  it('no device calls a rule that is not for its telemetry', async () => {
    const client = await connected(await connect(ANY, ANY));
    const calls = (rule: string) =>
      succeeds(client.publishAsync(`$aws/rules/${rule}/${telemetry(ANY)}`, '{}', { qos: 1 }));
    expect(await calls(TELEMETRY_RULE)).toBe(true);
    for (const rule of CONTROL_RULES) {
      expect({ rule, called: await calls(rule) }).toEqual({ rule, called: false });
    }
    client.end(true);
  });
});

interface HttpsWay {
  readonly policy: (self: Device) => unknown;
  readonly context: (self: Device) => OracleContext;
  readonly publish: (self: Device, topic: string) => Promise<{ readonly status: number }>;
}

const pathOf = (topic: string): string => `/topics/${encodeURIComponent(topic)}`;
const QUERY = { qos: '1' };

const HTTPS_WAYS: Record<string, HttpsWay> = {
  certificates: {
    policy: () => DEVICE_POLICY,
    context: certificateOf,
    publish: async ({ thing, fleet }, topic) => {
      const { certificatePem, privateKeyPem } = await world.device(thing, fleet);
      const path = `${pathOf(topic)}?qos=1`;
      const request = { path, cert: certificatePem, key: privateKeyPem };
      return world.https(request, '{}', world.ports.httpsPort);
    },
  },
  'an authorizer': {
    policy: grantOf,
    context: () => ({}),
    publish: ({ thing }, topic) =>
      world.https({ path: `${pathOf(topic)}?qos=1`, headers: { token: thing } }, '{}'),
  },
  SigV4: {
    policy: grantOf,
    context: () => ({}),
    publish: async (self, topic) => {
      const headers = { host: `localhost:${world.port443}` };
      const asked = { method: 'POST', path: pathOf(topic), query: QUERY, headers, body: '{}' };
      const signed = await signInHeader(asked, signing(self));
      const path = `${signed.path}?${signed.query}`;
      return world.https({ path, headers: Object.fromEntries(signed.headers) }, '{}');
    },
  },
};

describe.each(Object.entries(HTTPS_WAYS))(
  'over HTTPS with %s',
  (_, { policy, context, publish }) => {
    it('each device publishes under its own topic and no other', async () => {
      const wrong: string[] = [];
      for (const pair of SHARE) {
        const { self, other } = pair;
        const topic = telemetry(other);
        const { status } = await publish(self, topic);
        const statements = statementsOf(policy(self));
        const expected = verdict(statements, 'iot:Publish', `topic/${topic}`, context(self));
        wrong.push(...told(pair, 'publish', status === 200, expected));
      }
      expect(wrong).toEqual([]);
    });

    it('no device calls a rule that is not for its telemetry', async () => {
      const calls = (rule: string) => publish(ANY, `$aws/rules/${rule}/${telemetry(ANY)}`);
      expect(await calls(TELEMETRY_RULE)).toMatchObject({ status: 200 });
      for (const rule of CONTROL_RULES) {
        expect({ rule, ...(await calls(rule)) }).toMatchObject({ rule, status: 403 });
      }
    });
  },
);
