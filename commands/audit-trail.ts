import {
  CloudTrailClient,
  DescribeTrailsCommand,
  type EventSelector,
  GetEventSelectorsCommand,
  type GetEventSelectorsCommandOutput,
  GetTrailStatusCommand,
  type Trail,
} from '@aws-sdk/client-cloudtrail';
import { type ExitCode, FAILED, FailedError, OK, type Terminal } from './command.ts';
import type { Target } from './target.ts';

/** One trail of the account, as far as the watch of the control plane depends on it. */
interface TrailFacts {
  readonly name: string;
  /** Whether calls of this region are in it. */
  readonly here: boolean;
  readonly logging: boolean;
  /** Whether calls that change something are among what it records. */
  readonly writes: boolean;
}

/**
 * Why EventBridge hears nothing of the calls to AWS IoT by this trail; undefined where it does.
 *
 * @see Amazon EventBridge User Guide, "AWS service events delivered via AWS CloudTrail"
 */
function blindnessOf({ here, logging, writes }: TrailFacts): string | undefined {
  if (!here) return 'it is of another region, and not of all';
  if (!logging) return 'it is stopped';
  return writes ? undefined : 'it records no management events that write';
}

/** `npm run audit -- trail`: whether the watch of the control plane sees anything. */
export async function checkTrail(
  { kind, client }: Target,
  json: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  if (kind === 'laptop')
    throw new FailedError('The laptop has no CloudTrail; name a stage on AWS with `--stage`.');
  const cloudTrail = new CloudTrailClient({ ...client });
  const region = await cloudTrail.config.region();
  const trails = (await trailsOf(cloudTrail, region)).map((trail) => ({
    ...trail,
    blind: blindnessOf(trail),
  }));
  const sees = trails.some(({ blind }) => blind === undefined);
  if (json) terminal.out(`${JSON.stringify({ region, sees, trails })}\n`);
  else terminal.out(told(region, sees, trails));
  return sees ? OK : FAILED;
}

async function trailsOf(client: CloudTrailClient, region: string): Promise<readonly TrailFacts[]> {
  const { trailList = [] } = await client.send(new DescribeTrailsCommand({}));
  return Promise.all(trailList.map((trail) => factsOf(trail, region, client)));
}

async function factsOf(
  { Name = '', TrailARN, HomeRegion, IsMultiRegionTrail }: Trail,
  region: string,
  client: CloudTrailClient,
): Promise<TrailFacts> {
  const [{ IsLogging = false }, selectors] = await Promise.all([
    client.send(new GetTrailStatusCommand({ Name: TrailARN })),
    client.send(new GetEventSelectorsCommand({ TrailName: TrailARN })),
  ]);
  const here = IsMultiRegionTrail === true || HomeRegion === region;
  return { name: Name, here, logging: IsLogging, writes: recordsWrites(selectors) };
}

/** @see AWS CloudTrail API Reference, EventSelector, AdvancedEventSelector */
function recordsWrites({
  EventSelectors = [],
  AdvancedEventSelectors = [],
}: GetEventSelectorsCommandOutput): boolean {
  const simple = ({ IncludeManagementEvents, ReadWriteType }: EventSelector): boolean =>
    IncludeManagementEvents !== false && ReadWriteType !== 'ReadOnly';
  return (
    EventSelectors.some(simple) ||
    AdvancedEventSelectors.some(({ FieldSelectors = [] }) => {
      const field = (name: string) => FieldSelectors.find(({ Field }) => Field === name);
      return (
        field('eventCategory')?.Equals?.includes('Management') === true &&
        field('readOnly')?.Equals?.includes('true') !== true
      );
    })
  );
}

function told(
  region: string,
  sees: boolean,
  trails: readonly (TrailFacts & { readonly blind: string | undefined })[],
): string {
  const lines = trails.map(
    ({ name, blind }) => `  ${name}: ${blind === undefined ? 'is enough' : blind}\n`,
  );
  const verdict = sees
    ? `Calls to AWS IoT in ${region} reach EventBridge: the watch of the control plane sees them.\n`
    : `No trail brings calls to AWS IoT in ${region} before EventBridge: the watch of the control plane is blind.\nDeploy with --param="trail=enabled", or mend a trail of the account.\n`;
  return `${verdict}${lines.join('')}`;
}
