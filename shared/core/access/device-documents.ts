import { KINDS, NAME } from '../names.ts';
import type { Identity } from './identity.ts';
import { refuse } from './refused.ts';

/** Where the policies apply. */
export interface Place {
  readonly partition: string;
  readonly region: string;
  readonly accountId: string;
  readonly stage: string;
  /** Where not empty, the names of domains that devices with tokens or secrets have to come by. */
  readonly domains: readonly string[];
}

interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

/**
 * What one device may do, under its own name in full: variables of things do not resolve for who has no certificate.
 * It is what the policy of certificates grants, one document an action, as each may take 2,048 characters. In
 * quarantine it may do all of it but publish: so it can read why.
 */
export function deviceDocuments(
  { thing, fleet }: Pick<Identity, 'thing' | 'fleet'>,
  place: Place,
  quarantined: boolean,
): readonly PolicyDocument[] {
  const own = `${quoted(fleet)}/${quoted(thing)}`;
  const { stage, domains } = place;
  const arn = arnIn(place);
  const pinned = domains.length === 0 ? {} : { StringEquals: { 'iot:DomainName': domains } };
  const allow = (action: string, resources: readonly string[], condition = {}): PolicyDocument => {
    const conditions = { ...pinned, ...condition };
    return {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: `iot:${action}`,
          Resource: resources.map(arn),
          ...(Object.keys(conditions).length > 0 && { Condition: conditions }),
        },
      ],
    };
  };
  const rule = `$aws/rules/tributary_${stage}_telemetry`;
  const readings = KINDS.map((kind) => `dt/${own}/${kind}`);
  return [
    allow('Connect', [`client/${quoted(thing)}`], SESSIONS),
    ...(quarantined
      ? []
      : [
          allow('Publish', [
            ...readings.flatMap((topic) => [`topic/${topic}`, `topic/${rule}/${topic}`]),
            `topic/report/${own}`,
          ]),
        ]),
    allow('Subscribe', [`topicfilter/cmd/${own}/*`, `topicfilter/alert/${own}`]),
    allow('Receive', [`topic/cmd/${own}/*`, `topic/alert/${own}`]),
  ];
}

/**
 * What is said of a device whose certificate's own policies say what it may do: nothing, or in quarantine that it
 * publishes nothing, as these policies may not have been told yet.
 */
export const certificateDocuments = (
  place: Place,
  quarantined: boolean,
): readonly PolicyDocument[] => (quarantined ? [silence(arnIn(place))] : []);

const silence = (arn: (resource: string) => string): PolicyDocument => ({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Deny', Action: ['iot:Publish', 'iot:RetainPublish'], Resource: [arn('topic/*')] },
  ],
});

const arnIn =
  ({ partition, region, accountId }: Place) =>
  (resource: string): string =>
    `arn:${partition}:iot:${region}:${accountId}:${resource}`;

/** Persistent sessions and a Will; its topic is held against Publish as well. */
const SESSIONS = {
  'ForAllValues:StringEquals': { 'iot:ConnectAttributes': ['PersistentConnect', 'LastWill'] },
};

/**
 * A name as part of a resource. Policies of AWS IoT have no way to escape `*`, `?` or `${`, so a name that holds
 * anything but letters, digits, `_` and `-` is not put in at all.
 *
 * @throws {RefusedError} `WRONG_CLAIM`
 */
function quoted(name: string): string {
  if (!NAME.test(name)) refuse('WRONG_CLAIM', 'name', 'wants 1 to 64 of A-Z a-z 0-9 _ -');
  return name;
}
