import {
  AssociateWirelessGatewayWithCertificateCommand,
  ConflictException,
  CreateDestinationCommand,
  CreateWirelessDeviceCommand,
  type CreateWirelessDeviceCommandInput,
  CreateWirelessGatewayCommand,
  DeleteQueuedMessagesCommand,
  DeleteWirelessDeviceCommand,
  DeleteWirelessGatewayCommand,
  DisassociateWirelessGatewayFromCertificateCommand,
  GetServiceEndpointCommand,
  GetWirelessDeviceCommand,
  GetWirelessDeviceStatisticsCommand,
  GetWirelessGatewayCertificateCommand,
  GetWirelessGatewayCommand,
  GetWirelessGatewayStatisticsCommand,
  IoTWirelessClient,
  ListDestinationsCommand,
  ListDeviceProfilesCommand,
  ListQueuedMessagesCommand,
  ListServiceProfilesCommand,
  ListWirelessDevicesCommand,
  ListWirelessGatewaysCommand,
  ResourceNotFoundException,
  SendDataToWirelessDeviceCommand,
  ValidationException,
} from '@aws-sdk/client-iot-wireless';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { iotWirelessOperations } from '../../../../local/operations/iotwireless/index.ts';
import { createLorawanStore } from '../../../../local/runtime/lorawan/store.ts';
import { ACCOUNT, clientOf, FUNCTION_KEY, REGION, serve } from '../endpoint.ts';

const ARN = `arn:aws:iotwireless:${REGION}:${ACCOUNT}:`;
const DEV_EUI = '70b3d57ed0000001';
const GATEWAY_EUI = '00000000000000a1';
const profile = (id: string, loRaWAN: Record<string, unknown> = {}) => ({
  id,
  arn: `${ARN}profile/${id}`,
  name: id,
  loRaWAN,
});

async function openWorld() {
  const store = createLorawanStore();
  let ids = 0;
  const operations = iotWirelessOperations({
    store,
    destinations: [
      {
        name: 'radio',
        arn: `${ARN}Destination/radio`,
        expressionType: 'RuleName',
        expression: 'a_rule',
        roleArn: 'arn:aws:iam::000000000000:role/radio',
      },
    ],
    deviceProfiles: [
      profile('class-a', { MacVersion: '1.0.3' }),
      profile('class-c', { SupportsClassC: true }),
      profile('new-mac', { MacVersion: '1.1.0' }),
    ],
    serviceProfiles: [profile('plain')],
    hasCertificate: (certificateId) => certificateId.startsWith('certificate'),
    isConnected: (gatewayId) => gatewayId === 'id-1',
    lnsEndpoint: () => 'wss://localhost:8887',
    serverTrustPem: 'PEM',
    accountId: ACCOUNT,
    region: REGION,
    now: () => Date.UTC(2026, 0, 1),
    uuid: () => `id-${++ids}`,
  });
  const server = await serve(operations);
  const client = new IoTWirelessClient(clientOf(server.url));
  const asFunction = new IoTWirelessClient(clientOf(server.url, FUNCTION_KEY));
  return { store, client, asFunction, needs: server.needs, close: server.close };
}

const newDevice = (
  loRaWAN: CreateWirelessDeviceCommandInput['LoRaWAN'] = {},
  more: Partial<CreateWirelessDeviceCommandInput> = {},
) =>
  new CreateWirelessDeviceCommand({
    Type: 'LoRaWAN',
    Name: 'thermometer',
    DestinationName: 'radio',
    LoRaWAN: {
      DevEui: DEV_EUI,
      OtaaV1_0_x: { AppKey: '2B7E151628AED2A6ABF7158809CF4F3C', JoinEui: '70b3d57ed0000000' },
      ...loRaWAN,
    },
    ...more,
  });

const newGateway = (RfRegion = 'EU868', more: object = {}) =>
  new CreateWirelessGatewayCommand({ LoRaWAN: { GatewayEui: GATEWAY_EUI, RfRegion, ...more } });

const command = (Id: string, bytes = 2, TransmitMode = 1) =>
  new SendDataToWirelessDeviceCommand({
    Id,
    TransmitMode,
    PayloadData: Buffer.alloc(bytes, 1).toString('base64'),
    WirelessMetadata: { LoRaWAN: { FPort: 9 } },
  });

describe('AWS IoT Wireless', () => {
  let world: Awaited<ReturnType<typeof openWorld>>;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.close());

  it('keeps devices, found by id and by DevEUI, and never gives their keys away', async () => {
    const { client } = world;
    const { Id, Arn } = await client.send(newDevice({ DeviceProfileId: 'class-a' }));
    expect({ Id, Arn }).toEqual({ Id: 'id-1', Arn: `${ARN}WirelessDevice/id-1` });
    const byEui = await client.send(
      new GetWirelessDeviceCommand({ Identifier: DEV_EUI, IdentifierType: 'DevEui' }),
    );
    expect(byEui).toMatchObject({
      Id: 'id-1',
      Name: 'thermometer',
      DestinationName: 'radio',
      LoRaWAN: { DevEui: DEV_EUI, DeviceProfileId: 'class-a' },
    });
    expect(JSON.stringify(byEui).toLowerCase()).not.toContain('2b7e1516');
    const { WirelessDeviceList } = await client.send(new ListWirelessDevicesCommand({}));
    expect(WirelessDeviceList).toMatchObject([{ Id: 'id-1', LoRaWAN: { DevEui: DEV_EUI } }]);
    await client.send(new DeleteWirelessDeviceCommand({ Id: 'id-1' }));
    await expect(
      client.send(
        new GetWirelessDeviceCommand({ Identifier: 'id-1', IdentifierType: 'WirelessDeviceId' }),
      ),
    ).rejects.toThrow(ResourceNotFoundException);
  });

  it('has one device for a DevEUI', async () => {
    await world.client.send(newDevice());
    await expect(world.client.send(newDevice())).rejects.toThrow(ConflictException);
  });

  it.each([
    [
      'an unknown destination',
      newDevice({}, { DestinationName: 'nowhere' }),
      'no Destination nowhere',
    ],
    ['an unknown profile', newDevice({ DeviceProfileId: 'x' }), 'no DeviceProfile x'],
    ['class C', newDevice({ DeviceProfileId: 'class-c' }), 'SupportsClassC'],
    ['LoRaWAN 1.1 by profile', newDevice({ DeviceProfileId: 'new-mac' }), 'MacVersion 1.1.0'],
    [
      'LoRaWAN 1.1 by keys',
      newDevice({ OtaaV1_1: { AppKey: 'a', NwkKey: 'b', JoinEui: 'c' } }),
      'does not have OtaaV1_1',
    ],
    ['Sidewalk', newDevice({}, { Type: 'Sidewalk' }), 'LoRaWAN devices only'],
    ['a short key', newDevice({ OtaaV1_0_x: { AppKey: 'ff' } }), '32 hexadecimal digits'],
    ['no keys', newDevice({ OtaaV1_0_x: undefined }), 'OtaaV1_0_x or AbpV1_0_x'],
  ])('refuses a device with %s', async (_what, create, why) => {
    await expect(world.client.send(create)).rejects.toThrow(why);
  });

  it('ties a certificate to one gateway', async () => {
    const { client } = world;
    await client.send(newGateway());
    const associate = (Id: string, IotCertificateId: string) =>
      client.send(new AssociateWirelessGatewayWithCertificateCommand({ Id, IotCertificateId }));
    await expect(associate('id-1', 'unknown')).rejects.toThrow(ResourceNotFoundException);
    await associate('id-1', 'certificate-1');
    const certificate = new GetWirelessGatewayCertificateCommand({ Id: 'id-1' });
    expect(await client.send(certificate)).toMatchObject({ IotCertificateId: 'certificate-1' });
    await client.send(
      new CreateWirelessGatewayCommand({
        LoRaWAN: { GatewayEui: '00-00-00-00-00-00-00-B2', RfRegion: 'US915', SubBands: [2] },
      }),
    );
    await expect(associate('id-2', 'certificate-1')).rejects.toThrow(ConflictException);
    await client.send(new DisassociateWirelessGatewayFromCertificateCommand({ Id: 'id-1' }));
    await associate('id-2', 'certificate-1');
    const { WirelessGatewayList } = await client.send(new ListWirelessGatewaysCommand({}));
    expect(WirelessGatewayList).toMatchObject([
      { Id: 'id-1', LoRaWAN: { GatewayEui: GATEWAY_EUI, RfRegion: 'EU868' } },
      { Id: 'id-2', LoRaWAN: { GatewayEui: '00000000000000b2', SubBands: [2] } },
    ]);
  });

  it('tells whether a gateway is connected, and forgets one', async () => {
    const { client } = world;
    await client.send(newGateway());
    const statistics = new GetWirelessGatewayStatisticsCommand({ WirelessGatewayId: 'id-1' });
    expect(await client.send(statistics)).toMatchObject({ ConnectionStatus: 'Connected' });
    await expect(client.send(newGateway())).rejects.toThrow(ConflictException);
    await client.send(new DeleteWirelessGatewayCommand({ Id: 'id-1' }));
    await expect(
      client.send(
        new GetWirelessGatewayCommand({ Identifier: GATEWAY_EUI, IdentifierType: 'GatewayEui' }),
      ),
    ).rejects.toThrow(ResourceNotFoundException);
  });

  it.each([
    ['another region', newGateway('AS923-1'), 'EU868 and US915'],
    ['sub-bands where there are none', newGateway('EU868', { SubBands: [1] }), 'no sub-bands'],
    ['filters', newGateway('EU868', { NetIdFilters: ['000000'] }), 'does not have NetIdFilters'],
  ])('refuses a gateway with %s', async (_what, create, why) => {
    await expect(world.client.send(create)).rejects.toThrow(why);
  });

  it('queues commands in order, and takes them back', async () => {
    const { client } = world;
    await client.send(newDevice());
    const sent = [
      await client.send(command('id-1', 2, 1)),
      await client.send(command('id-1', 3, 0)),
    ];
    expect(sent.map(({ MessageId }) => MessageId)).toEqual(['id-2', 'id-3']);
    const list = async () =>
      (await client.send(new ListQueuedMessagesCommand({ Id: 'id-1' }))).DownlinkQueueMessagesList;
    expect(await list()).toEqual([
      {
        MessageId: 'id-2',
        TransmitMode: 1,
        ReceivedAt: '2026-01-01T00:00:00.000Z',
        LoRaWAN: { FPort: 9 },
      },
      {
        MessageId: 'id-3',
        TransmitMode: 0,
        ReceivedAt: '2026-01-01T00:00:00.000Z',
        LoRaWAN: { FPort: 9 },
      },
    ]);
    await client.send(new DeleteQueuedMessagesCommand({ Id: 'id-1', MessageId: 'id-2' }));
    expect(await list()).toMatchObject([{ MessageId: 'id-3' }]);
    await client.send(new DeleteQueuedMessagesCommand({ Id: 'id-1', MessageId: '*' }));
    expect(await list()).toEqual([]);
  });

  it('refuses commands that no frame takes', async () => {
    await world.client.send(newDevice());
    await expect(world.client.send(command('id-1', 243))).rejects.toThrow(ValidationException);
    await expect(world.client.send(command('nobody'))).rejects.toThrow(ResourceNotFoundException);
  });

  it('tells of the last uplink', async () => {
    const { client, store } = world;
    await client.send(newDevice());
    const device = store.device('id-1');
    if (device === undefined) throw new Error('no device');
    const loRaWAN = { DevEui: DEV_EUI, FPort: 2, DataRate: '5', Frequency: '868100000' };
    store.putDevice({ ...device, lastUplink: { atMs: Date.UTC(2026, 0, 2), loRaWAN } });
    const statistics = new GetWirelessDeviceStatisticsCommand({ WirelessDeviceId: 'id-1' });
    expect(await client.send(statistics)).toMatchObject({
      LastUplinkReceivedAt: '2026-01-02T00:00:00.000Z',
      LoRaWAN: { DataRate: 5, Frequency: 868_100_000 },
    });
  });

  it('tells what the template declares and where gateways connect', async () => {
    const { client } = world;
    const { DestinationList } = await client.send(new ListDestinationsCommand({}));
    expect(DestinationList).toMatchObject([{ Name: 'radio', Expression: 'a_rule' }]);
    const { DeviceProfileList } = await client.send(new ListDeviceProfilesCommand({}));
    expect(DeviceProfileList?.map(({ Name }) => Name)).toEqual(['class-a', 'class-c', 'new-mac']);
    const { ServiceProfileList } = await client.send(new ListServiceProfilesCommand({}));
    expect(ServiceProfileList).toMatchObject([{ Id: 'plain' }]);
    const endpoint = await client.send(new GetServiceEndpointCommand({ ServiceType: 'LNS' }));
    expect(endpoint).toMatchObject({ ServiceEndpoint: 'wss://localhost:8887', ServerTrust: 'PEM' });
    await expect(
      client.send(new GetServiceEndpointCommand({ ServiceType: 'CUPS' })),
    ).rejects.toThrow('no CUPS');
  });

  it('refuses by name what the laptop has not', async () => {
    const create = new CreateDestinationCommand({
      Name: 'x',
      Expression: 'y',
      ExpressionType: 'RuleName',
      RoleArn: 'arn:aws:iam::000000000000:role/radio-of-somebody',
    });
    await expect(world.client.send(create)).rejects.toThrow('CreateDestination');
  });

  it('asks a function for the grant on the device', async () => {
    await world.client.send(newDevice());
    await world.asFunction.send(command('id-1'));
    expect(world.needs).toEqual([
      { action: 'iotwireless:SendDataToWirelessDevice', resource: `${ARN}WirelessDevice/id-1` },
    ]);
  });
});
