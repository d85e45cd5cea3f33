import { compilePolicies, decide, HINTS } from '../../local/core/policy/index.ts';
import { median } from './rounds.ts';

const ARN = 'arn:aws:iot:eu-central-1:000000000000:';
const variable = (name: string): string => `\${${name}}`;
const THING = variable('iot:Connection.Thing.ThingName');
const FLEET = variable('iot:Connection.Thing.Attributes[fleet]');
const NAME = variable('iot:Certificate.Subject.CommonName');
const ORGANIZATION = variable('iot:Certificate.Subject.Organization');
const allow = (Action: string, ...rest: string[]) => ({
  Effect: 'Allow',
  Action,
  Resource: rest.map((each) => `${ARN}${each}`),
});

/** A device's policy as the template has it: by thing and by certificate, commands received, telemetry sent. */
const DEVICE_POLICY = {
  Version: '2012-10-17',
  Statement: [
    {
      ...allow('iot:Connect', `client/${THING}`),
      Condition: { Bool: { 'iot:Connection.Thing.IsAttached': 'true' } },
    },
    allow(
      'iot:Publish',
      `topic/dt/${FLEET}/${THING}/*`,
      `topic/report/${FLEET}/${THING}`,
      `topic/$aws/rules/telemetry/dt/${FLEET}/${THING}/*`,
    ),
    allow(
      'iot:Publish',
      `topic/dt/${ORGANIZATION}/${NAME}/*`,
      `topic/report/${ORGANIZATION}/${NAME}`,
    ),
    allow('iot:Subscribe', `topicfilter/cmd/${FLEET}/${THING}/*`),
    allow('iot:Receive', `topic/cmd/${FLEET}/${THING}/*`),
  ],
};

const CONTEXT = {
  'iot:ClientId': 'probe-1',
  'iot:Connection.Thing.ThingName': 'probe-1',
  'iot:Connection.Thing.IsAttached': 'true',
  'iot:Connection.Thing.Attributes[fleet]': 'acme',
  'iot:Certificate.Subject.CommonName': 'probe-1',
  'iot:Certificate.Subject.Organization': 'acme',
  'aws:SourceIp': '10.0.0.1',
  [HINTS.attachedThings]: ['probe-1'],
};

const ASKED = [
  { action: 'iot:Publish', name: 'topic/dt/acme/probe-1/telemetry' },
  { action: 'iot:Publish', name: 'topic/dt/acme/probe-1/status' },
  { action: 'iot:Publish', name: 'topic/dt/acme/probe-2/telemetry' },
  { action: 'iot:Receive', name: 'topic/cmd/acme/probe-1/reboot' },
  { action: 'iot:Subscribe', name: 'topicfilter/cmd/acme/probe-1/#' },
].map(({ action, name }) => ({ action, resource: `${ARN}${name}`, context: CONTEXT }));

/** The least it could cost: the same answers by comparing with texts that are ready. */
const READY: Readonly<Record<string, readonly string[]>> = {
  'iot:Publish': [`${ARN}topic/dt/acme/probe-1/`, `${ARN}topic/report/acme/probe-1`],
  'iot:Receive': [`${ARN}topic/cmd/acme/probe-1/`],
  'iot:Subscribe': [`${ARN}topicfilter/cmd/acme/probe-1/`],
};

const BATCH = 200_000;

function perSecond(decideOne: (at: number) => boolean): number {
  let allowed = 0;
  const startedAtMs = performance.now();
  for (let at = 0; at < BATCH; at += 1) if (decideOne(at)) allowed += 1;
  const seconds = (performance.now() - startedAtMs) / 1000;
  if (allowed !== (BATCH / ASKED.length) * (ASKED.length - 1)) throw new Error('decided wrongly');
  return BATCH / seconds;
}

export interface PolicyDecisions {
  readonly decisionsPerSecond: number;
  /** By comparing strings that are ready. */
  readonly floorPerSecond: number;
  readonly compileUs: number;
}

/** Decisions a second on one core, the policy compiled once. */
export function measureDecisions(rounds: number): PolicyDecisions {
  const sources = [{ name: 'device', document: DEVICE_POLICY }];
  const policies = compilePolicies(sources, 'iot');
  const engine = (at: number): boolean => {
    const request = ASKED[at % ASKED.length];
    return request !== undefined && decide(policies, request).allowed;
  };
  const floor = (at: number): boolean => {
    const { action = '', resource = '' } = ASKED[at % ASKED.length] ?? {};
    return READY[action]?.some((prefix) => resource.startsWith(prefix)) ?? false;
  };
  const taken = Array.from({ length: rounds + 2 }, () => ({
    engine: perSecond(engine),
    floor: perSecond(floor),
    compileUs: compileUs(sources),
  })).slice(2);
  return {
    decisionsPerSecond: median(taken.map((each) => each.engine)),
    floorPerSecond: median(taken.map((each) => each.floor)),
    compileUs: median(taken.map((each) => each.compileUs)),
  };
}

function compileUs(sources: Parameters<typeof compilePolicies>[0]): number {
  const times = 200;
  const startedAtMs = performance.now();
  for (let at = 0; at < times; at += 1) compilePolicies(sources, 'iot');
  return ((performance.now() - startedAtMs) * 1000) / times;
}
