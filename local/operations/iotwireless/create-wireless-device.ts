import * as z from 'zod';
import type { WirelessDevice } from '../../runtime/lorawan/model.ts';
import { AwsError, type Operation } from '../operation.ts';
import {
  common,
  conflict,
  found,
  hexText,
  members,
  text,
  type WirelessDeps,
  wirelessArn,
  wirelessOperation,
} from './wireless-call.ts';

const Otaa = members({
  AppKey: hexText(16),
  AppEui: hexText(8).optional(),
  JoinEui: hexText(8).optional(),
});

const Abp = members({
  DevAddr: hexText(4),
  SessionKeys: members({ NwkSKey: hexText(16), AppSKey: hexText(16) }),
  FCntStart: z.int().min(0).max(65_535).optional(),
});

const Input = members({
  ...common,
  Type: z.literal('LoRaWAN', { error: 'the laptop has LoRaWAN devices only' }),
  Name: text.optional(),
  Description: text.optional(),
  DestinationName: z.string(),
  LoRaWAN: members({
    DevEui: hexText(8),
    DeviceProfileId: z.string().optional(),
    ServiceProfileId: z.string().optional(),
    OtaaV1_0_x: Otaa.optional(),
    AbpV1_0_x: Abp.optional(),
  }),
});
type Input = z.infer<typeof Input>;

export const createWirelessDevice = (deps: WirelessDeps): Operation =>
  wirelessOperation(deps, {
    name: 'CreateWirelessDevice',
    http: 'POST /wireless-devices',
    status: 201,
    input: Input,
    on: () => '*',
    run: (input) => {
      checkReferences(deps, input);
      const { DevEui } = input.LoRaWAN;
      const twin = deps.store.deviceByEui(DevEui);
      if (twin !== undefined)
        conflict('WirelessDevice', twin.id, `A device with the DevEUI ${DevEui} exists.`);
      const device = deviceOf(deps, input);
      deps.store.putDevice(device);
      return { Id: device.id, Arn: wirelessArn(deps, `WirelessDevice/${device.id}`) };
    },
  });

/** Device profiles say what a device expects of the network; a class that is not served would wait in vain. */
function checkReferences(deps: WirelessDeps, { DestinationName, LoRaWAN }: Input): void {
  const { destinations, deviceProfiles, serviceProfiles } = deps;
  const { DeviceProfileId, ServiceProfileId } = LoRaWAN;
  found(
    destinations.find(({ name }) => name === DestinationName),
    'Destination',
    DestinationName,
  );
  if (ServiceProfileId !== undefined)
    found(
      serviceProfiles.find(({ id }) => id === ServiceProfileId),
      'ServiceProfile',
      ServiceProfileId,
    );
  if (DeviceProfileId === undefined) return;
  const { loRaWAN } = found(
    deviceProfiles.find(({ id }) => id === DeviceProfileId),
    'DeviceProfile',
    DeviceProfileId,
  );
  const lacking = ['SupportsClassB', 'SupportsClassC'].filter((flag) => loRaWAN[flag] === true);
  if (lacking.length > 0)
    throw new AwsError(
      'ValidationException',
      `The device profile says ${lacking.join(' and ')}; the laptop serves class A.`,
    );
  const version = loRaWAN['MacVersion'];
  if (typeof version === 'string' && !version.startsWith('1.0'))
    throw new AwsError(
      'ValidationException',
      `The device profile says MacVersion ${version}; the laptop speaks LoRaWAN 1.0.x.`,
    );
}

function deviceOf({ now, uuid }: WirelessDeps, input: Input): WirelessDevice {
  const { DevEui, DeviceProfileId, ServiceProfileId, AbpV1_0_x: abp } = input.LoRaWAN;
  return {
    id: uuid(),
    devEui: DevEui,
    name: input.Name,
    description: input.Description,
    destinationName: input.DestinationName,
    deviceProfileId: DeviceProfileId,
    serviceProfileId: ServiceProfileId,
    activation: activationOf(input),
    createdAtMs: now(),
    usedDevNonces: [],
    joinNonce: 0,
    queue: [],
    ...(abp !== undefined && {
      session: {
        devAddr: abp.DevAddr,
        nwkSKey: abp.SessionKeys.NwkSKey,
        appSKey: abp.SessionKeys.AppSKey,
        fCntDown: 0,
        ...((abp.FCntStart ?? 0) > 0 && { fCntUp: (abp.FCntStart ?? 0) - 1 }),
      },
    }),
  };
}

function activationOf({ LoRaWAN: { OtaaV1_0_x: otaa, AbpV1_0_x: abp } }: Input) {
  if ((otaa === undefined) === (abp === undefined))
    throw new AwsError('ValidationException', 'Either OtaaV1_0_x or AbpV1_0_x is wanted.');
  if (otaa === undefined) return { kind: 'abp' } as const;
  const joinEui = otaa.JoinEui ?? otaa.AppEui;
  if (joinEui === undefined)
    throw new AwsError('ValidationException', 'OtaaV1_0_x lacks JoinEui (or AppEui).');
  return { kind: 'otaa', joinEui, appKey: otaa.AppKey } as const;
}
