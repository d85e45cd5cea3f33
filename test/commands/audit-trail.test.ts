import {
  CloudTrailClient,
  DescribeTrailsCommand,
  GetEventSelectorsCommand,
  type GetEventSelectorsCommandOutput,
  GetTrailStatusCommand,
  type Trail,
} from '@aws-sdk/client-cloudtrail';
import { afterEach, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { checkTrail } from '../../commands/audit-trail.ts';
import type { Target } from '../../commands/target.ts';

const cloudTrail = mockClient(CloudTrailClient);
afterEach(() => {
  cloudTrail.reset();
});

const target: Target = {
  kind: 'aws',
  stage: 'dev',
  client: {
    region: 'eu-central-1',
    credentials: { accessKeyId: 'nobody', secretAccessKey: 'nobody' },
  },
};

interface World {
  readonly trail?: Partial<Trail>;
  readonly logging?: boolean;
  readonly selectors?: Partial<GetEventSelectorsCommandOutput>;
}

const MANAGEMENT = [{ IncludeManagementEvents: true, ReadWriteType: 'All' as const }];

/** What the command prints and ends with in an account with one trail. */
async function check({ trail = {}, logging = true, selectors }: World) {
  const whole = { Name: 'main', TrailARN: 'arn:main', HomeRegion: 'eu-central-1', ...trail };
  cloudTrail.on(DescribeTrailsCommand).resolves({ trailList: [whole] });
  cloudTrail.on(GetTrailStatusCommand).resolves({ IsLogging: logging });
  cloudTrail.on(GetEventSelectorsCommand).resolves(selectors ?? { EventSelectors: MANAGEMENT });
  return say();
}

async function say() {
  const printed: string[] = [];
  const out = (text: string) => void printed.push(text);
  const code = await checkTrail(target, false, { out, err: out });
  return { code, text: printed.join('') };
}

const advanced = (...fields: (readonly [Field: string, Equals: string])[]) => ({
  AdvancedEventSelectors: [
    { FieldSelectors: fields.map(([Field, value]) => ({ Field, Equals: [value] })) },
  ],
});

it.each<{ readonly why: string; readonly world: World }>([
  { why: 'records all management events of its region', world: {} },
  {
    why: 'is of another region, and records all regions',
    world: { trail: { HomeRegion: 'us-east-1', IsMultiRegionTrail: true } },
  },
  {
    why: 'records management events by advanced selectors',
    world: { selectors: advanced(['eventCategory', 'Management']) },
  },
])('the watch sees by a trail that $why', async ({ world }) => {
  const { code, text } = await check(world);
  expect(code).toBe(0);
  expect(text).toContain('main: is enough');
});

it.each<{ readonly why: string; readonly world: World }>([
  { why: 'it is stopped', world: { logging: false } },
  { why: 'it is of another region', world: { trail: { HomeRegion: 'us-east-1' } } },
  {
    why: 'it records no management events',
    world: { selectors: { EventSelectors: [{ IncludeManagementEvents: false }] } },
  },
  {
    why: 'it records no management events',
    world: { selectors: { EventSelectors: [{ ReadWriteType: 'ReadOnly' }] } },
  },
  {
    why: 'it records no management events',
    world: { selectors: advanced(['eventCategory', 'Management'], ['readOnly', 'true']) },
  },
  {
    why: 'it records no management events',
    world: { selectors: advanced(['eventCategory', 'Data']) },
  },
])('the watch is blind by a trail of which $why', async ({ why, world }) => {
  const { code, text } = await check(world);
  expect(code).toBe(1);
  expect(text).toContain('the watch of the control plane is blind');
  expect(text).toContain(`main: ${why}`);
});

it('the watch is blind in an account without a trail, and what would mend it is said', async () => {
  cloudTrail.on(DescribeTrailsCommand).resolves({ trailList: [] });
  const { code, text } = await say();
  expect(code).toBe(1);
  expect(text).toContain('--param="trail=enabled"');
});

it('the laptop says that it has no trails', async () => {
  const out = () => {};
  const laptop: Target = { kind: 'laptop', stage: 'dev', client: {} };
  await expect(checkTrail(laptop, false, { out, err: out })).rejects.toThrow('no CloudTrail');
});
