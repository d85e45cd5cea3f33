import { expect, it } from '@jest/globals';
import { presignedUrl } from '../../../local/fleet/presigned-url.ts';
import { presign } from '../../support/signer.ts';

const NOW = Date.UTC(2026, 10, 22, 12);
const KEYS = { accessKeyId: 'ASIATEMP', secretAccessKey: 'temporary', sessionToken: 'Fwo+/==' };

it('signs a WebSocket as the SDK does, with the session token behind the signature', async () => {
  const url = new URL(presignedUrl('localhost:9443', 'eu-central-1', KEYS, NOW));
  const request = { path: '/mqtt', headers: { host: 'localhost:9443' } };
  const { query } = await presign(request, { atMs: NOW, ...KEYS });
  expect(Object.fromEntries(url.searchParams)).toEqual(
    Object.fromEntries(new URLSearchParams(query)),
  );
  expect(url.href).toMatch(/^wss:\/\/localhost:9443\/mqtt\?.*&X-Amz-Security-Token=[^&]+$/);
});
