import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateKeysAndCertificateCommand,
  IoTClient,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import {
  AssociateWirelessGatewayWithCertificateCommand,
  CreateWirelessDeviceCommand,
  CreateWirelessGatewayCommand,
  DeleteWirelessGatewayCommand,
  GetWirelessGatewayCommand,
  IoTWirelessClient,
  ListQueuedMessagesCommand,
  SendDataToWirelessDeviceCommand,
} from '@aws-sdk/client-iot-wireless';
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { KMSClient } from '@aws-sdk/client-kms';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openCodecDesk } from '../../commands/codec-desk.ts';
import { DEMO } from '../../commands/demo-radio.ts';
import { openDownlinkDesk } from '../../commands/downlink-desk.ts';
import { assignDevice } from '../../commands/lorawan-assign.ts';
import { openLorawanDesk, stationOf } from '../../commands/lorawan-desk.ts';
import { createLorawanDevice, type Received } from '../../local/fleet/lorawan-device.ts';
import { startLorawanFleet } from '../../local/fleet/lorawan-fleet.ts';
import {
  connectStation,
  type Hearing,
  type StationIdentity,
} from '../../local/fleet/lorawan-station.ts';
import { parseCertificate } from '../../local/pki/index.ts';
import { openEnvelope, sealEnvelope } from '../../shared/core/lorawan/payload-envelope.ts';
import type { Reading } from '../../shared/core/reading.ts';
import { parseSignal } from '../../shared/core/security/signal.ts';
import { bootLaptop, deadLetters, storedReadings, type TestLaptop } from '../support/laptop.ts';
import type { Template } from '../support/template.ts';

const DEVICE = {
  devEui: '70b3d57ed0000001',
  joinEui: '70b3d57ed0000000',
  appKey: '2b7e151628aed2a6abf7158809cf4f3c',
};
const HEARING: Hearing = { dataRate: 5, frequencyHz: 868_100_000, rssi: -61, snr: 8.5 };

/** 21.5 °C on channel 1, as Cayenne LPP. */
const WARM = Buffer.from('016700d7', 'hex');

const QUEUE = 'tributary-dev-test-radio';
const QUEUE_ARN = `arn:aws:sqs:eu-central-1:000000000000:${QUEUE}`;

/** Beside whatever the template has: a destination whose rule writes what it gets to a queue of the test. */
function addDestination({ Resources }: Template): void {
  const role = (statements: object[]) => ({
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] },
      Policies: [
        { PolicyName: 'grants', PolicyDocument: { Version: '2012-10-17', Statement: statements } },
      ],
    },
  });
  const topics = 'arn:aws:iot:eu-central-1:000000000000:topic';
  Object.assign(Resources, {
    TestQueue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: QUEUE } },
    TestRuleRole: role([{ Effect: 'Allow', Action: 'sqs:SendMessage', Resource: QUEUE_ARN }]),
    TestDestinationRole: role([
      { Effect: 'Allow', Action: 'iot:DescribeEndpoint', Resource: '*' },
      { Effect: 'Allow', Action: 'iot:Publish', Resource: `${topics}/$aws/rules/test_radio` },
    ]),
    TestRule: rule('test_radio', 'SELECT *'),
    TestEventRule: rule(
      'test_radio_events',
      "SELECT *, topic(5) AS told FROM '$aws/iotwireless/events/+/+/lorawan/+'",
    ),
    TestDestination: {
      Type: 'AWS::IoTWireless::Destination',
      Properties: {
        Name: 'test-radio',
        ExpressionType: 'RuleName',
        Expression: 'test_radio',
        RoleArn: { 'Fn::GetAtt': ['TestDestinationRole', 'Arn'] },
      },
    },
  });
}

const rule = (name: string, sql: string) => ({
  Type: 'AWS::IoT::TopicRule',
  Properties: {
    RuleName: name,
    TopicRulePayload: {
      Sql: sql,
      AwsIotSqlVersion: '2016-03-23',
      Actions: [
        {
          Sqs: {
            QueueUrl: { Ref: 'TestQueue' },
            RoleArn: { 'Fn::GetAtt': ['TestRuleRole', 'Arn'] },
            UseBase64: false,
          },
        },
      ],
    },
  },
});

describe('a LoRaWAN device behind a Basics Station', () => {
  let laptop: TestLaptop;
  let wireless: IoTWirelessClient;
  let deviceId = '';

  beforeAll(async () => {
    laptop = await bootLaptop({ change: addDestination });
    wireless = new IoTWirelessClient(laptop.client);
    const { Id = '' } = await wireless.send(
      new CreateWirelessDeviceCommand({
        Type: 'LoRaWAN',
        DestinationName: 'test-radio',
        LoRaWAN: {
          DevEui: DEVICE.devEui,
          OtaaV1_0_x: { AppKey: DEVICE.appKey, JoinEui: DEVICE.joinEui },
        },
      }),
    );
    deviceId = Id;
  });
  const folders: string[] = [];
  afterAll(async () => {
    await laptop.close();
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  const url = () => `wss://localhost:${laptop.lorawan?.lnsPort}`;

  async function newGateway(eui: string, associated = true): Promise<StationIdentity> {
    const iot = new IoTClient(laptop.client);
    const {
      certificateId,
      certificatePem = '',
      keyPair,
    } = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    if (associated) {
      const { Id } = await wireless.send(
        new CreateWirelessGatewayCommand({ LoRaWAN: { GatewayEui: eui, RfRegion: 'EU868' } }),
      );
      await wireless.send(
        new AssociateWirelessGatewayWithCertificateCommand({ Id, IotCertificateId: certificateId }),
      );
    }
    const privateKeyPem = keyPair?.PrivateKey ?? '';
    return { eui, certificatePem, privateKeyPem, caPem: laptop.caPem };
  }

  /** What the rules have written since the last time. */
  async function told(least: number): Promise<Record<string, unknown>[]> {
    const sqs = new SQSClient(laptop.client);
    const QueueUrl = `${laptop.client.endpoint}/000000000000/${QUEUE}`;
    const bodies: Record<string, unknown>[] = [];
    for (let round = 0; round < 100 && bodies.length < least; round += 1) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 }),
      );
      bodies.push(...Messages.map(({ Body = '' }) => JSON.parse(Body)));
      if (bodies.length < least) await delay(50);
    }
    return bodies;
  }

  it('joins, is heard by two gateways as one, and answers a command', async () => {
    let nonce = 0;
    const device = createLorawanDevice(DEVICE, () => ++nonce);
    const downlinks: Buffer[] = [];
    const next = async (): Promise<Buffer> => {
      for (let round = 0; round < 100 && downlinks.length === 0; round += 1) await delay(50);
      return downlinks.shift() ?? Buffer.alloc(0);
    };
    const [near, far] = await Promise.all(
      ['00000000000000a1', '00000000000000a2'].map(async (eui) =>
        connectStation(await newGateway(eui), url(), (bytes) => downlinks.push(bytes)),
      ),
    );
    if (near === undefined || far === undefined) throw new Error('no stations');
    expect(near.config).toMatchObject({ region: 'EU863' });
    expect((await told(2)).map(({ told: what }) => what)).toEqual(['connected', 'connected']);

    near.hear(device.joinRequest(), HEARING);
    device.acceptJoin(await next());
    const events = await told(2);
    expect(events).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ eventType: 'join_accepted', WirelessDeviceId: deviceId }),
        expect.objectContaining({ eventType: 'join_req_received' }),
      ]),
    );

    const { MessageId } = await wireless.send(
      new SendDataToWirelessDeviceCommand({
        Id: deviceId,
        TransmitMode: 1,
        PayloadData: Buffer.from('on').toString('base64'),
        WirelessMetadata: { LoRaWAN: { FPort: 7 } },
      }),
    );
    const first = device.uplink(2, Buffer.from('one'), true);
    far.hear(first, { ...HEARING, rssi: -110, snr: -3 });
    near.hear(first, HEARING);
    const [uplink] = await told(1);
    expect(uplink).toMatchObject({
      WirelessDeviceId: deviceId,
      PayloadData: Buffer.from('one').toString('base64'),
      WirelessMetadata: {
        LoRaWAN: {
          DevEui: DEVICE.devEui,
          FPort: 2,
          FCnt: 0,
          DataRate: '5',
          Frequency: '868100000',
          Gateways: [
            { GatewayEui: '00000000000000a1', Rssi: -61, Snr: 8.5 },
            { GatewayEui: '00000000000000a2', Rssi: -110, Snr: -3 },
          ],
        },
      },
    });
    const command: Received | undefined = device.receive(await next());
    expect(command).toEqual({
      ack: true,
      confirmed: true,
      fPort: 7,
      payload: Buffer.from('on'),
    });

    near.hear(device.uplink(2, Buffer.from('two')), HEARING);
    expect((await told(1))[0]).toMatchObject({ AckedMessageId: MessageId });
    const waiting = await wireless.send(new ListQueuedMessagesCommand({ Id: deviceId }));
    expect(waiting.DownlinkQueueMessagesList).toEqual([]);

    near.hear(first, HEARING);
    near.hear(device.uplink(2, Buffer.from('three')), HEARING);
    const after = await told(1);
    expect(after.map(({ PayloadData }) => PayloadData)).toEqual([
      Buffer.from('three').toString('base64'),
    ]);
    expect(laptop.log.filter(({ reason }) => reason === 'REPLAY')).toHaveLength(1);
    await Promise.all([near.stop(), far.stop()]);
  });

  it('cannot be heard through a gateway without a certificate of its own', async () => {
    const stranger = await newGateway('00000000000000b1', false);
    await expect(connectStation(stranger, url(), () => undefined)).rejects.toThrow('401');
    expect(laptop.log).toEqual(
      expect.arrayContaining([expect.objectContaining({ reason: 'UNKNOWN_GATEWAY' })]),
    );
  });

  it('cannot be heard through a gateway that says it is another', async () => {
    const gateway = await newGateway('00000000000000b2');
    const other = { ...gateway, eui: '00000000000000b3' };
    await expect(connectStation(other, url(), () => undefined)).rejects.toThrow(
      'the certificate is of gateway 00000000000000b2',
    );
  });

  it('is not heard any more through a gateway whose certificate is revoked', async () => {
    const gateway = await newGateway('00000000000000b4');
    const station = await connectStation(gateway, url(), () => undefined);
    const { certificateId } = parseCertificate(gateway.certificatePem);
    const iot = new IoTClient(laptop.client);
    await iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'REVOKED' }));
    expect(await station.ended).toBe(1008);
    await expect(connectStation(gateway, url(), () => undefined)).rejects.toThrow('401');
    expect(laptop.log).toEqual(
      expect.arrayContaining([expect.objectContaining({ reason: 'REVOKED' })]),
    );
  });

  it('is not heard any more through a gateway that was deleted', async () => {
    const gateway = await newGateway('00000000000000b5');
    const station = await connectStation(gateway, url(), () => undefined);
    const known = new GetWirelessGatewayCommand({
      Identifier: gateway.eui,
      IdentifierType: 'GatewayEui',
    });
    const { Id } = await wireless.send(known);
    await wireless.send(new DeleteWirelessGatewayCommand({ Id }));
    station.hear(createLorawanDevice(DEVICE, () => 99).joinRequest(), HEARING);
    expect(await station.ended).toBe(1008);
  });

  const openDesk = () => {
    const folder = mkdtempSync(join(tmpdir(), 'lorawan-desk-'));
    folders.push(folder);
    return openLorawanDesk({ client: laptop.client, stage: 'dev' }, folder);
  };

  /** Waits for readings of a thing. */
  async function stored(thing: string, least = 1): Promise<Reading[]> {
    let readings = await storedReadings(laptop, thing);
    for (let round = 0; round < 100 && readings.length < least; round += 1) {
      await delay(200);
      readings = await storedReadings(laptop, thing);
    }
    return readings;
  }

  it('of the simulated fleet is decoded, and stored with its radio link and raw bytes', async () => {
    const desk = openDesk();
    const { identity } = await desk.addDevice('radio-1');
    const codecs = openCodecDesk(new DynamoDBClient(laptop.client), 'dev', Date.now);
    await assignDevice(codecs, identity.devEui, { ...DEMO, thing: 'radio-1' });
    const { gateway } = await desk.addGateway('demo', 'EU868');
    const endpoint = await desk.endpoint();
    const fleet = await startLorawanFleet({
      devices: [identity],
      gateway: stationOf(gateway, endpoint),
      url: endpoint.url,
      intervalMs: 500,
      now: Date.now,
      random: Math.random,
      log: () => undefined,
    });
    const readings = await stored('radio-1');
    await fleet.stop();
    await laptop.idle();
    expect(readings[0]).toMatchObject({
      thing: 'radio-1',
      fleet: 'demo',
      transport: 'lorawan',
      link: expect.objectContaining({}),
      raw: { data: expect.any(String) },
    });
    expect(Object.values(readings[0]?.metrics ?? {})).toHaveLength(2);
    expect(await deadLetters(laptop)).toEqual([]);
  });

  it('hides its payload from the network, is read once over a rejoin, and opens what is sealed for it', async () => {
    const key = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
    const [db, kms] = [new DynamoDBClient(laptop.client), new KMSClient(laptop.client)];
    const desk = openDesk();
    const { identity, wirelessDeviceId } = await desk.addDevice('sealed-1');
    const { devEui } = identity;
    const codecs = openCodecDesk(db, 'dev', Date.now);
    await assignDevice(codecs, devEui, { ...DEMO, thing: 'sealed-1' });
    const { codec, fleet } = DEMO;
    await codecs.assign(
      { kind: 'device', id: devEui },
      { codec },
      { fleet, encryption: 'envelope' },
    );
    await codecs.putKey(kms, devEui, 'envelope', key);
    const down = openDownlinkDesk(db, kms, 'dev');
    const sealedCommand = await down.seal({ name: 'sealed-1', devEui }, 7, Buffer.from('on'));
    await desk.queue(wirelessDeviceId, 7, sealedCommand, false);

    const { gateway } = await desk.addGateway('sealed', 'EU868');
    const downlinks: Buffer[] = [];
    const next = async (): Promise<Buffer> => {
      for (let round = 0; round < 100 && downlinks.length === 0; round += 1) await delay(50);
      return downlinks.shift() ?? Buffer.alloc(0);
    };
    const endpoint = await desk.endpoint();
    const station = await connectStation(stationOf(gateway, endpoint), endpoint.url, (bytes) =>
      downlinks.push(bytes),
    );
    let nonce = 0;
    const device = createLorawanDevice(identity, () => ++nonce);
    const join = async () => {
      station.hear(device.joinRequest(), HEARING);
      device.acceptJoin(await next());
    };
    const sealed = (counter: number) =>
      sealEnvelope(key, { devEui, fPort: 2, direction: 'up' }, { payload: WARM, counter });
    await join();
    station.hear(device.uplink(2, sealed(1)), HEARING);
    const command = device.receive(await next());
    const address = { devEui, fPort: 7, direction: 'down' } as const;
    expect(openEnvelope(key, address, command?.payload ?? Buffer.alloc(0))).toEqual({
      counter: 1,
      payload: Buffer.from('on'),
    });
    await join();
    station.hear(device.uplink(2, sealed(1)), HEARING);
    station.hear(device.uplink(2, sealed(2)), HEARING);
    const readings = await stored('sealed-1', 2);
    await station.stop();
    await laptop.idle();
    expect((await stored('sealed-1', 2)).map(({ raw }) => raw.data)).toEqual([
      WARM.toString('base64'),
      WARM.toString('base64'),
    ]);
    expect(Object.values(readings[0]?.metrics ?? {})).toEqual([21.5]);
    const logged = JSON.stringify(laptop.log);
    for (const secret of [key.toString('hex'), key.toString('base64'), identity.appKey])
      expect(logged).not.toContain(secret);
    expect(await deadLetters(laptop)).toEqual([]);
  });

  it('and its gateways are told of on the stream signals', async () => {
    const signals = await recordsOf('tributary-dev-signals');
    expect(signals).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ source: 'gateway', status: 'connected' }),
        expect.objectContaining({ source: 'gateway', status: 'disconnected' }),
        expect.objectContaining({ source: 'join', thing: deviceId }),
        expect.objectContaining({ source: 'counters', function: 'decode', thing: 'sealed-1' }),
      ]),
    );
    for (const signal of signals) parseSignal(JSON.stringify(signal));
  });

  async function recordsOf(StreamName: string): Promise<unknown[]> {
    const kinesis = new KinesisClient(laptop.client);
    const { Shards = [] } = await kinesis.send(new ListShardsCommand({ StreamName }));
    const lists = Shards.map(async ({ ShardId }) => {
      const from = { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const;
      const { ShardIterator } = await kinesis.send(new GetShardIteratorCommand(from));
      const { Records = [] } = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
      return Records.map(({ Data = new Uint8Array() }): unknown =>
        JSON.parse(Buffer.from(Data).toString()),
      );
    });
    return (await Promise.all(lists)).flat();
  }
});
