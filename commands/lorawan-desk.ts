import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateKeysAndCertificateCommand, IoTClient } from '@aws-sdk/client-iot';
import {
  AssociateWirelessGatewayWithCertificateCommand,
  CreateWirelessDeviceCommand,
  CreateWirelessGatewayCommand,
  GetServiceEndpointCommand,
  GetWirelessDeviceCommand,
  GetWirelessGatewayCommand,
  IoTWirelessClient,
  ListDestinationsCommand,
  ListDeviceProfilesCommand,
  ListServiceProfilesCommand,
  paginateListWirelessDevices,
  paginateListWirelessGateways,
  ResourceNotFoundException,
  SendDataToWirelessDeviceCommand,
  UpdateEventConfigurationByResourceTypesCommand,
} from '@aws-sdk/client-iot-wireless';
import * as z from 'zod';
import type { LorawanIdentity } from '../local/fleet/lorawan-device.ts';
import type { StationIdentity } from '../local/fleet/lorawan-station.ts';
import { FailedError } from './command.ts';
import type { Target } from './target.ts';

/** The JoinEUI of devices made here: out of a range that is for local use. */
const JOIN_EUI = '0200000000000001';

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const DeviceFile = z.object({ devEui: hex(8), joinEui: hex(8), appKey: hex(16) });
const GatewayFile = z.object({
  eui: hex(8),
  certificatePem: z.string(),
  privateKeyPem: z.string(),
});

export interface NewDevice {
  readonly identity: LorawanIdentity;
  readonly wirelessDeviceId: string;
  readonly file: string;
  /** Whether the network did not know it before. */
  readonly isNew: boolean;
}

/** EUIs of the range for local use; nobody else has them. */
const localEui = (): string => `02${randomBytes(7).toString('hex')}`;

/**
 * LoRaWAN devices and gateways in AWS IoT Wireless, the same calls on AWS and on the laptop.
 *
 * @param directory  where keys of devices and certificates of gateways are, readable by their owner only
 */
export function openLorawanDesk(
  { client, stage }: Pick<Target, 'client' | 'stage'>,
  directory: string,
) {
  const wireless = new IoTWirelessClient({ ...client });
  const iot = new IoTClient({ ...client });
  const fileOf = (kind: 'device' | 'gateway', name: string) =>
    join(directory, `${kind}-${name}.json`);

  const destination = async (): Promise<string> => {
    const { DestinationList = [] } = await wireless.send(new ListDestinationsCommand({}));
    const names = DestinationList.map(({ Name = '' }) => Name);
    const own = names.find((name) => name.split(/[-_]/).includes(stage));
    if (own !== undefined) return own;
    throw new FailedError(`Stage ${stage} has no destination for LoRaWAN devices.`);
  };

  const profiles = async () => {
    const [{ DeviceProfileList = [] }, { ServiceProfileList = [] }] = await Promise.all([
      wireless.send(new ListDeviceProfilesCommand({})),
      wireless.send(new ListServiceProfilesCommand({})),
    ]);
    const ofStage = ({ Name = '' }) => Name.split(/[-_]/).includes(stage);
    return {
      DeviceProfileId: DeviceProfileList.find(ofStage)?.Id,
      ServiceProfileId: ServiceProfileList.find(ofStage)?.Id,
    };
  };

  const knownDevice = async (devEui: string): Promise<string | undefined> => {
    const query = new GetWirelessDeviceCommand({ Identifier: devEui, IdentifierType: 'DevEui' });
    return (await orUndefined(wireless.send(query)))?.Id;
  };

  return {
    /** Registers the device, under the keys that it had before if it had any. */
    async addDevice(name: string, devEui = localEui()): Promise<NewDevice> {
      const file = fileOf('device', name);
      const fresh = { devEui, joinEui: JOIN_EUI, appKey: randomBytes(16).toString('hex') };
      const identity = readFile(file, DeviceFile) ?? writeFile(file, fresh);
      const known = await knownDevice(identity.devEui);
      if (known !== undefined) return { identity, wirelessDeviceId: known, file, isNew: false };
      const { Id = '' } = await wireless.send(
        new CreateWirelessDeviceCommand({
          Type: 'LoRaWAN',
          Name: name,
          DestinationName: await destination(),
          LoRaWAN: {
            DevEui: identity.devEui,
            ...(await profiles()),
            OtaaV1_0_x: { AppKey: identity.appKey, JoinEui: identity.joinEui },
          },
        }),
      );
      return { identity, wirelessDeviceId: Id, file, isNew: true };
    },

    /** Registers the gateway with a certificate of its own. */
    async addGateway(name: string, region: string, gatewayEui = localEui()) {
      const file = fileOf('gateway', name);
      const eui = readFile(file, GatewayFile)?.eui ?? gatewayEui;
      const query = new GetWirelessGatewayCommand({
        Identifier: eui,
        IdentifierType: 'GatewayEui',
      });
      const known = await orUndefined(wireless.send(query));
      const made =
        known ??
        (await wireless.send(
          new CreateWirelessGatewayCommand({
            Name: name,
            LoRaWAN: { GatewayEui: eui, RfRegion: region },
          }),
        ));
      const before = readFile(file, GatewayFile);
      if (known !== undefined && before !== undefined) return { gateway: before, file };
      const {
        certificateId,
        certificatePem = '',
        keyPair,
      } = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
      await wireless.send(
        new AssociateWirelessGatewayWithCertificateCommand({
          Id: made.Id,
          IotCertificateId: certificateId,
        }),
      );
      const gateway = { eui, certificatePem, privateKeyPem: keyPair?.PrivateKey ?? '' };
      return { gateway: writeFile(file, gateway), file };
    },

    /** Writes what LoRa Basics Station reads from its folder. @returns the folder */
    async writeStation(
      name: string,
      { certificatePem, privateKeyPem }: z.infer<typeof GatewayFile>,
    ): Promise<string> {
      const { url, caPem } = await this.endpoint();
      const folder = join(directory, `gateway-${name}`);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const files = {
        'tc.uri': url,
        'tc.trust': caPem,
        'tc.crt': certificatePem,
        'tc.key': privateKeyPem,
      };
      for (const [file, content] of Object.entries(files))
        writeFileSync(join(folder, file), content, { mode: 0o600 });
      return folder;
    },

    async devices() {
      const found: { id: string; name: string; devEui: string; lastUplinkAt: string }[] = [];
      for await (const { WirelessDeviceList = [] } of paginateListWirelessDevices(
        { client: wireless },
        { WirelessDeviceType: 'LoRaWAN' },
      ))
        for (const { Id = '', Name = '', LoRaWAN, LastUplinkReceivedAt = '' } of WirelessDeviceList)
          found.push({
            id: Id,
            name: Name,
            devEui: LoRaWAN?.DevEui ?? '',
            lastUplinkAt: LastUplinkReceivedAt,
          });
      return found;
    },

    async gateways() {
      const found: { id: string; name: string; eui: string; region: string }[] = [];
      for await (const { WirelessGatewayList = [] } of paginateListWirelessGateways(
        { client: wireless },
        {},
      ))
        for (const { Id = '', Name = '', LoRaWAN } of WirelessGatewayList)
          found.push({
            id: Id,
            name: Name,
            eui: LoRaWAN?.GatewayEui ?? '',
            region: LoRaWAN?.RfRegion ?? '',
          });
      return found;
    },

    /** Queues a downlink; it goes out after the device's next uplink. @returns its id */
    async queue(wirelessDeviceId: string, fPort: number, payload: Buffer, confirmed: boolean) {
      const { MessageId = '' } = await wireless.send(
        new SendDataToWirelessDeviceCommand({
          Id: wirelessDeviceId,
          TransmitMode: confirmed ? 1 : 0,
          PayloadData: payload.toString('base64'),
          WirelessMetadata: { LoRaWAN: { FPort: fPort } },
        }),
      );
      return MessageId;
    },

    /** Lets joins, and gateways that come and go, be told to rules: of the whole account, and off before. */
    async tellEvents(): Promise<void> {
      await wireless.send(
        new UpdateEventConfigurationByResourceTypesCommand({
          Join: { LoRaWAN: { WirelessDeviceEventTopic: 'Enabled' } },
          ConnectionStatus: { LoRaWAN: { WirelessGatewayEventTopic: 'Enabled' } },
        }),
      );
    },

    /** Where gateways connect, and what they trust it by. */
    async endpoint(): Promise<{ url: string; caPem: string }> {
      const { ServiceEndpoint = '', ServerTrust = '' } = await wireless.send(
        new GetServiceEndpointCommand({ ServiceType: 'LNS' }),
      );
      return { url: ServiceEndpoint, caPem: ServerTrust };
    },
  };
}

/** What a simulated gateway connects with. */
export const stationOf = (
  gateway: z.infer<typeof GatewayFile>,
  { caPem }: { readonly caPem: string },
): StationIdentity => ({ ...gateway, caPem });

async function orUndefined<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

function readFile<T>(path: string, schema: z.ZodType<T>): T | undefined {
  if (!existsSync(path)) return undefined;
  const result = schema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (result.success) return result.data;
  throw new FailedError(`${path} is not what it should be: ${z.prettifyError(result.error)}`);
}

function writeFile<T>(path: string, content: T): T {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  return content;
}
