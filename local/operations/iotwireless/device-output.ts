import type { WirelessDevice, WirelessGateway } from '../../runtime/lorawan/model.ts';
import type { WirelessDeps } from './wireless-call.ts';
import { isoTime, wirelessArn } from './wireless-call.ts';

type Place = Pick<WirelessDeps, 'accountId' | 'region'>;

/** What devices and gateways have in common in answers. */
const named = (
  place: Place,
  type: 'WirelessDevice' | 'WirelessGateway',
  {
    id,
    name,
    description,
  }: { id: string; name?: string | undefined; description?: string | undefined },
) => ({
  Id: id,
  Arn: wirelessArn(place, `${type}/${id}`),
  ...(name !== undefined && { Name: name }),
  ...(description !== undefined && { Description: description }),
});

/** A device as GetWirelessDevice tells of it, without its keys. */
export const deviceOutput = (place: Place, device: WirelessDevice) => ({
  ...named(place, 'WirelessDevice', device),
  Type: 'LoRaWAN',
  DestinationName: device.destinationName,
  LoRaWAN: {
    DevEui: device.devEui,
    ...(device.deviceProfileId !== undefined && { DeviceProfileId: device.deviceProfileId }),
    ...(device.serviceProfileId !== undefined && { ServiceProfileId: device.serviceProfileId }),
    ...(device.activation.kind === 'otaa' && {
      OtaaV1_0_x: { JoinEui: device.activation.joinEui },
    }),
  },
});

export const listedDevice = (place: Place, device: WirelessDevice) => ({
  ...deviceOutput(place, device),
  LoRaWAN: { DevEui: device.devEui },
  ...(device.lastUplink !== undefined && {
    LastUplinkReceivedAt: isoTime(device.lastUplink.atMs),
  }),
});

export const gatewayOutput = (place: Place, gateway: WirelessGateway) => ({
  ...named(place, 'WirelessGateway', gateway),
  LoRaWAN: {
    GatewayEui: gateway.eui,
    RfRegion: gateway.region,
    ...(gateway.subBand !== undefined && { SubBands: [gateway.subBand] }),
  },
});

export const listedGateway = (place: Place, gateway: WirelessGateway) => ({
  ...gatewayOutput(place, gateway),
  ...(gateway.lastUplinkAtMs !== undefined && {
    LastUplinkReceivedAt: isoTime(gateway.lastUplinkAtMs),
  }),
});
