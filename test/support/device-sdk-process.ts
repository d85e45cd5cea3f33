import { auth, iot, mqtt5 } from 'aws-iot-device-sdk-v2';
import type { SdkAttempt, SdkCall, SdkOutcome } from './device-sdk.ts';
import { perform311 } from './device-sdk-311.ts';

type Builder = iot.AwsIotMqtt5ClientConfigBuilder;
const Builders = iot.AwsIotMqtt5ClientConfigBuilder;

function builderOf({ way, ...attempt }: SdkAttempt): Builder {
  switch (way) {
    case 'certificate': {
      const { certificatePem = '', privateKeyPem = '' } = attempt;
      return Builders.newDirectMqttBuilderWithMtlsFromMemory(
        'localhost',
        certificatePem,
        privateKeyPem,
      );
    }
    case 'sigv4': {
      const { accessKeyId = '', secretAccessKey = '', sessionToken = '' } = attempt;
      return Builders.newWebsocketMqttBuilderWithSigv4Auth('localhost', {
        region: attempt.region ?? '',
        credentialsProvider: auth.AwsCredentialsProvider.newStatic(
          accessKeyId,
          secretAccessKey,
          sessionToken,
        ),
      });
    }
    case 'customDirect':
      return Builders.newDirectMqttBuilderWithCustomAuth('localhost', customOf(attempt));
    case 'customWebsocket':
      return Builders.newWebsocketMqttBuilderWithCustomAuth('localhost', customOf(attempt));
  }
}

const customOf = ({
  custom,
  password,
}: Omit<SdkAttempt, 'way'>): iot.MqttConnectCustomAuthConfig => ({
  ...custom,
  ...(password !== undefined && { password: Buffer.from(password) }),
});

class Refused extends Error {
  readonly reasonCode: number | undefined;

  constructor(message: string, reasonCode: number | undefined) {
    super(message);
    this.reasonCode = reasonCode;
  }
}

async function connect(attempt: SdkAttempt): Promise<mqtt5.Mqtt5Client> {
  const builder = builderOf(attempt);
  builder.withPort(attempt.port);
  builder.withCertificateAuthority(attempt.caPem);
  builder.withConnectProperties({ keepAliveIntervalSeconds: 60, clientId: attempt.clientId });
  const client = new mqtt5.Mqtt5Client(builder.build());
  const outcome = new Promise<void>((resolve, reject) => {
    client.on('connectionSuccess', () => resolve());
    client.on('connectionFailure', ({ error, connack }) =>
      reject(new Refused(String(error), connack?.reasonCode)),
    );
  });
  client.start();
  try {
    await outcome;
    return client;
  } catch (error) {
    await stop(client);
    throw error;
  }
}

async function stop(client: mqtt5.Mqtt5Client): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    client.on('stopped', () => resolve());
  });
  client.stop();
  await stopped;
  client.close();
}

async function roundTrip(client: mqtt5.Mqtt5Client, topic: string): Promise<string> {
  const received = new Promise<string>((resolve) => {
    client.on('messageReceived', ({ message }) =>
      resolve(Buffer.from(message.payload as ArrayBuffer).toString()),
    );
  });
  const qos = mqtt5.QoS.AtLeastOnce;
  await client.subscribe({ subscriptions: [{ qos, topicFilter: topic }] });
  await client.publish({ qos, topicName: topic, payload: 'hello' });
  return received;
}

async function perform(attempt: SdkAttempt): Promise<SdkOutcome> {
  try {
    const client = await connect(attempt);
    const payload = await roundTrip(client, attempt.topic);
    await stop(client);
    return { connected: true, payload };
  } catch (error) {
    const reasonCode = error instanceof Refused ? error.reasonCode : undefined;
    return {
      connected: false,
      error: String(error),
      ...(reasonCode !== undefined && { reasonCode }),
    };
  }
}

process.on('message', ({ id, attempt }: SdkCall) => {
  const done = attempt.version === 4 ? perform311(attempt) : perform(attempt);
  void done.then((outcome) => process.send?.({ id, outcome }));
});
