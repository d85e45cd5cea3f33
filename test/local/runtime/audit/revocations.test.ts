import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import type { LogEntry } from '../../../../local/core/log.ts';
import { type Credential, createAuthority } from '../../../../local/pki/index.ts';
import { createRevocations, fetchList } from '../../../../local/runtime/audit/revocations.ts';
import { certificateWithList, revocationList } from '../../../support/revocation.ts';

const NOW = Date.UTC(2026, 0, 1);
const VALIDITY = { notBeforeMs: NOW, notAfterMs: NOW + 86_400_000 };
const URL = 'http://127.0.0.1/fleet.crl';

async function world(fleet: Credential, list: () => Promise<Uint8Array>) {
  const log: LogEntry[] = [];
  const asked: string[] = [];
  const revocations = createRevocations(
    (url) => {
      asked.push(url);
      return list();
    },
    (entry) => void log.push(entry),
  );
  const certificate = await certificateWithList(fleet, 'probe-1', VALIDITY, URL);
  const isRevoked = () => revocations(certificate.pem, fleet.certificatePem);
  return { isRevoked, certificate, log, asked };
}

const authority = (name: string) => createAuthority([['CN', name]], VALIDITY);

it('a certificate that the list of its issuer names is revoked, and the list is read once', async () => {
  const fleet = await authority('Fleet');
  const list = Promise.withResolvers<Uint8Array>();
  const { isRevoked, certificate, asked } = await world(fleet, () => list.promise);
  list.resolve(await revocationList(fleet, [certificate.serialNumber], NOW));
  expect([await isRevoked(), await isRevoked()]).toEqual([true, true]);
  expect(asked).toEqual([URL]);
});

it('one that the list does not name is not', async () => {
  const fleet = await authority('Fleet');
  const { isRevoked } = await world(fleet, () => revocationList(fleet, ['0badcafe'], NOW));
  expect(await isRevoked()).toBe(false);
});

it('of a list that another signed under the name of the issuer, nothing is believed', async () => {
  const [fleet, impostor] = [await authority('Fleet'), await authority('Fleet')];
  const list = Promise.withResolvers<Uint8Array>();
  const { isRevoked, certificate, log } = await world(fleet, () => list.promise);
  list.resolve(await revocationList(impostor, [certificate.serialNumber], NOW));
  expect(await isRevoked()).toBeUndefined();
  expect(log).toMatchObject([{ level: 'warn', message: expect.stringContaining('did not sign') }]);
});

it('a list that cannot be had says nothing, and the log says why', async () => {
  const { isRevoked, log } = await world(await authority('Fleet'), () =>
    Promise.reject(new Error('the answer was 404')),
  );
  expect(await isRevoked()).toBeUndefined();
  expect(log).toMatchObject([{ message: `revocation list ${URL}: the answer was 404` }]);
});

it('lists are read on this machine only', async () => {
  const served = createServer((_, answer) => void answer.end('list'));
  await new Promise<void>((resolve) => served.listen(0, '127.0.0.1', resolve));
  const { port } = served.address() as AddressInfo;
  try {
    const list = await fetchList(`http://127.0.0.1:${port}/fleet.crl`);
    expect(Buffer.from(list).toString()).toBe('list');
    await expect(fetchList('http://192.0.2.1/fleet.crl')).rejects.toThrow('on this machine');
    await expect(fetchList('file:///etc/hostname')).rejects.toThrow('on this machine');
  } finally {
    served.close();
  }
});
