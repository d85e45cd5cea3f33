import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IoTClient } from '@aws-sdk/client-iot';
import { iotOperations } from '../../../../local/operations/iot/index.ts';
import { type DevelopmentPki, openPki } from '../../../../local/pki/index.ts';
import { createRegistry } from '../../../../local/stores/registry.ts';
import { ACCOUNT, clientOf, FUNCTION_KEY, REGION, serve } from '../endpoint.ts';

export const NOW = Date.UTC(2026, 0, 1);
export const ARN = `arn:aws:iot:${REGION}:${ACCOUNT}:`;

export const ALLOW_ALL =
  '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:*","Resource":"*"}}';

/** Authorities take a while to make; tests share them, as nothing changes them. */
export async function sharedPki(): Promise<{
  readonly pki: DevelopmentPki;
  readonly remove: () => Promise<void>;
}> {
  const directory = await mkdtemp(join(tmpdir(), 'iot-'));
  const pki = await openPki({ directory, now: () => NOW });
  return { pki, remove: () => rm(directory, { recursive: true }) };
}

/** An empty registry behind the real endpoint, with the SDK's client of an operator and of a function. */
export async function openWorld(
  pki: DevelopmentPki,
  options: NonNullable<Parameters<typeof serve>[1]> = {},
) {
  const clock = { ms: NOW };
  const registry = createRegistry({ now: () => clock.ms++, accountId: ACCOUNT, region: REGION });
  const operations = iotOperations({
    registry,
    pki,
    accountId: ACCOUNT,
    endpointOf: (type) => (type === 'iot:Data-ATS' ? 'localhost' : undefined),
  });
  const server = await serve(operations, options);
  const iot = new IoTClient(clientOf(server.url));
  const asFunction = new IoTClient(clientOf(server.url, FUNCTION_KEY));
  const close = async () => {
    iot.destroy();
    asFunction.destroy();
    await server.close();
  };
  return { registry, iot, asFunction, needs: server.needs, url: server.url, close };
}

export type World = Awaited<ReturnType<typeof openWorld>>;
