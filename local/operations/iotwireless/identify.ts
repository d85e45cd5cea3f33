import * as z from 'zod';
import type { WirelessDevice, WirelessGateway } from '../../runtime/lorawan/model.ts';
import { found, members, type WirelessDeps } from './wireless-call.ts';

export const DeviceIdentifier = members({
  Identifier: z.string(),
  IdentifierType: z.enum(['WirelessDeviceId', 'DevEui']),
});

/** @throws {AwsError} `ResourceNotFoundException` */
export function identifiedDevice(
  { store }: WirelessDeps,
  { Identifier, IdentifierType }: z.infer<typeof DeviceIdentifier>,
): WirelessDevice {
  const device =
    IdentifierType === 'DevEui'
      ? store.deviceByEui(Identifier.toLowerCase())
      : store.device(Identifier);
  return found(device, 'WirelessDevice', Identifier);
}

export const GatewayIdentifier = members({
  Identifier: z.string(),
  IdentifierType: z.enum(['WirelessGatewayId', 'GatewayEui']),
});

/** @throws {AwsError} `ResourceNotFoundException` */
export function identifiedGateway(
  { store }: WirelessDeps,
  { Identifier, IdentifierType }: z.infer<typeof GatewayIdentifier>,
): WirelessGateway {
  const gateway =
    IdentifierType === 'GatewayEui'
      ? store.gatewayByEui(Identifier.toLowerCase())
      : store.gateway(Identifier);
  return found(gateway, 'WirelessGateway', Identifier);
}
