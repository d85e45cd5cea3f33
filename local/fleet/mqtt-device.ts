import { connectAsync } from 'mqtt';
import type { DeviceIdentity, GatewayAddress, RunningDevice } from './device.ts';

/** Connects over mutual TLS with the thing's name as client id; every publish is QoS 1. */
export async function startMqttDevice(
  device: DeviceIdentity,
  gateway: GatewayAddress,
  protocolVersion: 4 | 5,
): Promise<RunningDevice> {
  const client = await connectAsync({
    protocol: 'mqtts',
    host: gateway.host,
    port: gateway.mqttPort,
    servername: gateway.host,
    clientId: device.thing,
    protocolVersion,
    keepalive: 60,
    cert: device.certificatePem,
    key: device.privateKeyPem,
    ca: device.caPem,
  });
  client.on('error', () => undefined); // the client reconnects by itself; the gateway's log says why it had to
  return {
    publish: async (topic, payload) => {
      await client.publishAsync(topic, payload, { qos: 1 });
    },
    stop: () => client.endAsync(true),
  };
}
