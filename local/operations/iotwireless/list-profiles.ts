import { page } from '../iot/page.ts';
import type { Operation } from '../operation.ts';
import {
  members,
  type Profile,
  pageMembers,
  type WirelessDeps,
  wirelessOperation,
} from './wireless-call.ts';

export const listDeviceProfiles = (deps: WirelessDeps): Operation =>
  listing(deps, 'DeviceProfile', 'device-profiles', deps.deviceProfiles);

export const listServiceProfiles = (deps: WirelessDeps): Operation =>
  listing(deps, 'ServiceProfile', 'service-profiles', deps.serviceProfiles);

const listing = (
  deps: WirelessDeps,
  type: 'DeviceProfile' | 'ServiceProfile',
  path: string,
  profiles: readonly Profile[],
): Operation =>
  wirelessOperation(deps, {
    name: `List${type}s`,
    http: `GET /${path}`,
    input: members(pageMembers),
    on: () => '*',
    run: ({ NextToken, MaxResults }) => {
      const { items, next } = page(profiles, ({ id }) => id, {
        token: NextToken,
        size: MaxResults,
      });
      return {
        [`${type}List`]: items.map(({ id, arn, name }) => ({ Id: id, Arn: arn, Name: name })),
        NextToken: next,
      };
    },
  });
