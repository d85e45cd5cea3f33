import { Agent, request } from 'node:https';
import type { DeviceIdentity, GatewayAddress, RunningDevice } from './device.ts';

/** Publishes by HTTPS POST over one kept-alive mutual TLS connection. */
export function startHttpsDevice(device: DeviceIdentity, gateway: GatewayAddress): RunningDevice {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    cert: device.certificatePem,
    key: device.privateKeyPem,
    ca: device.caPem,
  });
  const publish = (topic: string, payload: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const path = `/topics/${topic.split('/').map(encodeURIComponent).join('/')}?qos=1`;
      const call = request(
        { agent, host: gateway.host, port: gateway.httpsPort, method: 'POST', path },
        (answer) => {
          answer.resume();
          answer.on('end', () => {
            if (answer.statusCode === 200) resolve();
            else reject(new Error(`${device.thing}: HTTPS publish answered ${answer.statusCode}`));
          });
        },
      );
      call.on('error', reject);
      call.end(payload);
    });
  return {
    publish,
    stop: async () => agent.destroy(),
  };
}
