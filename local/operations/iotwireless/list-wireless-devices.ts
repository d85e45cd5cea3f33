import * as z from 'zod';
import { page } from '../iot/page.ts';
import type { Operation } from '../operation.ts';
import { listedDevice } from './device-output.ts';
import { members, pageMembers, type WirelessDeps, wirelessOperation } from './wireless-call.ts';

const Input = members({
  ...pageMembers,
  DestinationName: z.string().optional(),
  DeviceProfileId: z.string().optional(),
  ServiceProfileId: z.string().optional(),
  WirelessDeviceType: z.enum(['LoRaWAN', 'Sidewalk']).optional(),
});

export const listWirelessDevices = (deps: WirelessDeps): Operation =>
  wirelessOperation(deps, {
    name: 'ListWirelessDevices',
    http: 'GET /wireless-devices',
    input: Input,
    on: () => '*',
    run: (input) => {
      const fitting = deps.store
        .devices()
        .filter(
          ({ destinationName, deviceProfileId, serviceProfileId }) =>
            input.WirelessDeviceType !== 'Sidewalk' &&
            (input.DestinationName ?? destinationName) === destinationName &&
            (input.DeviceProfileId ?? deviceProfileId) === deviceProfileId &&
            (input.ServiceProfileId ?? serviceProfileId) === serviceProfileId,
        );
      const { items, next } = page(fitting, ({ id }) => id, {
        token: input.NextToken,
        size: input.MaxResults,
      });
      return {
        WirelessDeviceList: items.map((device) => listedDevice(deps, device)),
        NextToken: next,
      };
    },
  });
