import { expect, it } from '@jest/globals';
import { compilePolicies, decide } from '../../local/core/policy/index.ts';
import { resolveTemplate } from '../../local/core/template/index.ts';
import { deviceDocuments } from '../../shared/core/access/device-documents.ts';
import { packageService } from '../support/template.ts';

/**
 * Everything that the thing `b` of the fleet `a` could ask to hear, filters of up to four levels, against all topics of
 * up to four: what it hears is its own, and all that is its own can be heard.
 */
const PLACE = {
  accountId: '000000000000',
  region: 'eu-central-1',
  partition: 'aws',
  stage: 'dev',
  domains: [],
} as const;
const STACK = resolveTemplate(packageService().template, { ...PLACE, stackName: 'tributary-dev' });
const CONTEXT = {
  'iot:ClientId': 'b',
  'iot:Certificate.Subject.CommonName': 'b',
  'iot:Certificate.Subject.Organization': 'a',
  'iot:Connection.Thing.ThingName': 'b',
  'iot:Connection.Thing.Attributes[fleet]': 'a',
  'iot:Connection.Thing.IsAttached': 'true',
};

const POLICIES = {
  'a certificate': [STACK.resources.get('DevicePolicy')?.properties['PolicyDocument']],
  'a token or secret': deviceDocuments({ thing: 'b', fleet: 'a' }, PLACE, false),
};

const longer = (words: readonly string[], steps: readonly string[]): string[] =>
  words.flatMap((word) => steps.map((step) => `${word}/${step}`));

function upToFour(steps: readonly string[]): string[] {
  const [two, three] = [longer(steps, steps), longer(longer(steps, steps), steps)];
  return [...steps, ...two, ...three, ...longer(three, steps)];
}

const NAMES = ['cmd', 'alert', 'dt', 'a', 'b'];
const TOPICS = upToFour(NAMES);
const FILTERS = upToFour([...NAMES, '+', '#', '*', '$']);

const isOwn = (topic: string): boolean => topic.startsWith('cmd/a/b/') || topic === 'alert/a/b';

/** The plainest reading of a filter; `#` inside of one matches nothing, as no broker takes it. */
function matcherOf(filter: string): RegExp {
  const levels = filter.split('/').map((level) => {
    if (level === '+') return '[^/]+';
    return level.replace(/[$*]/g, '\\$&');
  });
  const body = levels.join('/');
  return new RegExp(`^${body.endsWith('#') ? `${body.slice(0, -1)}.*` : body}$`);
}

it.each(Object.entries(POLICIES))(
  'with %s a device hears its own and nobody else’s',
  (_, documents) => {
    const policies = compilePolicies(
      documents.map((document, at) => ({ name: String(at), document })),
      'iot',
    );
    const may = (action: string, resource: string): boolean =>
      decide(policies, {
        action: `iot:${action}`,
        resource: `arn:aws:iot:eu-central-1:000000000000:${resource}`,
        context: CONTEXT,
      }).allowed;
    const receivable = TOPICS.filter((topic) => may('Receive', `topic/${topic}`));
    const granted = FILTERS.filter((filter) => may('Subscribe', `topicfilter/${filter}`));
    expect(receivable).toEqual(TOPICS.filter(isOwn));
    const heard = new Set(
      granted.flatMap((filter) => TOPICS.filter((topic) => matcherOf(filter).test(topic))),
    );
    expect(heard).toEqual(new Set(TOPICS.filter(isOwn)));
    expect(FILTERS).toHaveLength(9 + 9 ** 2 + 9 ** 3 + 9 ** 4);
  },
);
