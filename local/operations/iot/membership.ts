import * as z from 'zod';
import type { Registry } from '../../stores/registry.ts';
import { AwsError } from '../operation.ts';

/** A group and a thing, each by name or by ARN. */
export const membershipMembers = {
  thingGroupName: z.string().optional(),
  thingGroupArn: z.string().optional(),
  thingName: z.string().optional(),
  thingArn: z.string().optional(),
};

interface Membership {
  readonly thingGroupName?: string | undefined;
  readonly thingGroupArn?: string | undefined;
  readonly thingName?: string | undefined;
  readonly thingArn?: string | undefined;
}

/** @throws {AwsError} `InvalidRequestException` where one of them is missing, or name and ARN disagree */
export const membershipOf = (input: Membership) => ({
  group: nameOf('thingGroup', 'thinggroup', input.thingGroupName, input.thingGroupArn),
  thing: nameOf('thing', 'thing', input.thingName, input.thingArn),
});

export const membershipArns = ({ arn }: Registry, input: Membership): readonly string[] => {
  const { group, thing } = membershipOf(input);
  return [arn.thingGroup(group), arn.thing(thing)];
};

function nameOf(
  what: string,
  type: string,
  name: string | undefined,
  arn: string | undefined,
): string {
  const [, named] = new RegExp(`^arn:[^:]+:iot:[^:]*:[^:]*:${type}/(.+)$`).exec(arn ?? '') ?? [];
  const found = name ?? named;
  if (found === undefined || (named !== undefined && named !== found) || (arn && !named))
    throw new AwsError(
      'InvalidRequestException',
      `${what}Name or ${what}Arn must be given, and name one and the same`,
    );
  return found;
}
