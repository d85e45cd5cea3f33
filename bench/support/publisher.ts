import { parentPort, workerData } from 'node:worker_threads';
import { connectAsync } from 'mqtt';
import type { DeviceIdentity } from '../../local/fleet/device.ts';

/** Publishes from a thread of its own: so many messages a device, QoS 1, so many of them in flight. */
export interface PublisherTask {
  readonly devices: readonly DeviceIdentity[];
  readonly mqttPort: number;
  readonly messagesEach: number;
  readonly inFlight: number;
}

const task = workerData as PublisherTask;

const clients = await Promise.all(
  task.devices.map((device) =>
    connectAsync({
      protocol: 'mqtts',
      host: 'localhost',
      port: task.mqttPort,
      clientId: device.thing,
      protocolVersion: 5,
      cert: device.certificatePem,
      key: device.privateKeyPem,
      ca: device.caPem,
    }),
  ),
);
parentPort?.postMessage('connected');
await new Promise((resolve) => parentPort?.once('message', resolve));
await Promise.all(
  clients.map(async (client, index) => {
    const { fleet, thing } = task.devices[index] ?? { fleet: '', thing: '' };
    let next = 0;
    const lane = async () => {
      while (next < task.messagesEach) {
        const seq = next++;
        const payload = `{"ts":${Date.now()},"seq":${seq},"temperature":21.5,"humidity":48,"battery":97.25}`;
        await client.publishAsync(`dt/${fleet}/${thing}/telemetry`, payload, { qos: 1 });
      }
    };
    await Promise.all(Array.from({ length: task.inFlight }, lane));
  }),
);
parentPort?.postMessage('acknowledged');
await Promise.all(clients.map((client) => client.endAsync()));
