import { once } from 'node:events';
import { auth, iot, mqtt } from 'aws-iot-device-sdk-v2';
import type { SdkAttempt, SdkOutcome } from './device-sdk.ts';

type Builder = iot.AwsIotMqttConnectionConfigBuilder;
const Builders = iot.AwsIotMqttConnectionConfigBuilder;

function builderOf({ way, ...attempt }: SdkAttempt): Builder {
  switch (way) {
    case 'certificate':
      return Builders.new_mtls_builder(attempt.certificatePem ?? '', attempt.privateKeyPem ?? '');
    case 'sigv4':
      return Builders.new_with_websockets({
        region: attempt.region ?? '',
        credentials_provider: auth.AwsCredentialsProvider.newStatic(
          attempt.accessKeyId ?? '',
          attempt.secretAccessKey ?? '',
          attempt.sessionToken,
        ),
      });
    case 'customDirect':
      return authorized(Builders.new_default_builder(), attempt);
    case 'customWebsocket':
      return authorized(Builders.new_builder_for_websocket(), attempt);
  }
}

const authorized = (builder: Builder, { custom = {}, password = '' }: Omit<SdkAttempt, 'way'>) =>
  builder.with_custom_authorizer(
    custom.username ?? '',
    custom.authorizerName ?? '',
    custom.tokenSignature ?? '',
    password,
    custom.tokenKeyName,
    custom.tokenValue,
  );

/** The SDK's older client, which speaks MQTT 3.1.1: connects, hears what it publishes, and is gone again. */
export async function perform311(attempt: SdkAttempt): Promise<SdkOutcome> {
  const builder = builderOf(attempt)
    .with_endpoint('localhost')
    .with_port(attempt.port)
    .with_certificate_authority(attempt.caPem)
    .with_client_id(attempt.clientId)
    // its default keeps the session, which a policy has to allow
    .with_clean_session(true);
  const connection = new mqtt.MqttClient().new_connection(builder.build());
  try {
    await connection.connect();
  } catch (error) {
    return { connected: false, error: String(error) };
  }
  const received = once(connection, 'message');
  await connection.subscribe(attempt.topic, mqtt.QoS.AtLeastOnce);
  await connection.publish(attempt.topic, 'hello', mqtt.QoS.AtLeastOnce);
  const [, payload] = await received;
  await connection.disconnect();
  return { connected: true, payload: Buffer.from(payload as ArrayBuffer).toString() };
}
