import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import {
  type AuthorizerRequest,
  type AuthorizerStore,
  createAuthorizerStore,
} from '../../../local/stores/authorizer-store.ts';
import { KEY } from '../core/authorizer/token-world.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'authorizers-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = (): AuthorizerStore =>
  createAuthorizerStore({
    ...{ accountId: '000000000000', region: 'eu-central-1', now: () => 1 },
    directory,
  });

/** A start of the laptop with a template of these, then calls, then its end. */
async function start(
  template: readonly AuthorizerRequest[],
  calls: (store: AuthorizerStore) => void = () => {},
): Promise<AuthorizerStore> {
  const store = open();
  for (const asked of template) store.declare(asked);
  store.dropUndeclared();
  calls(store);
  await store.close();
  return store;
}

const asked = (name: string, more: Partial<AuthorizerRequest> = {}): AuthorizerRequest => ({
  name,
  functionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:authorize',
  signingDisabled: true,
  status: 'ACTIVE',
  ...more,
});

it('what calls made and changed survives a restart, the default as well', async () => {
  const signed = asked('signed', {
    ...{ signingDisabled: false, tokenKeyName: 'token', signingKeys: { k: KEY.publicPem } },
  });
  const before = await start([asked('own')], (store) => {
    store.create(signed);
    store.update('own', { status: 'INACTIVE' });
    store.setDefault('signed');
  });
  const after = await start([asked('own')]);
  expect(after.list()).toEqual(before.list());
  expect(after.find('own')?.status).toBe('INACTIVE');
  expect(after.defaultName()).toBe('signed');
});

it('what the template changes is as the template has it, whatever calls did', async () => {
  await start([asked('own')], (store) => store.update('own', { status: 'INACTIVE' }));
  const after = await start([asked('own', { enableCachingForHttp: true })]);
  expect(after.find('own')).toMatchObject({ status: 'ACTIVE', enableCachingForHttp: true });
});

it('what left the template is gone, and no default any more', async () => {
  await start([asked('own')], (store) => {
    store.create(asked('made'));
    store.setDefault('own');
  });
  const after = await start([]);
  expect(after.list().map(({ name }) => name)).toEqual(['made']);
  expect(after.defaultName()).toBeUndefined();
});

it('what a call made cannot be declared as well, as on AWS', async () => {
  await start([], (store) => store.create(asked('made')));
  expect(() => open().declare(asked('made'))).toThrow(/exists already/);
});

it('a file that is none is named', () => {
  const path = join(directory, 'authorizers.json');
  writeFileSync(path, '{"authorizers": 1}');
  expect(open).toThrow(`${path} is not a list of authorizers`);
});
