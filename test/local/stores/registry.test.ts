import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compilePolicies, decide, HINTS } from '../../../local/core/policy/index.ts';
import type { RegistryChange } from '../../../local/core/registry/index.ts';
import {
  type Credential,
  createAuthority,
  issueClient,
  parseCertificate,
} from '../../../local/pki/index.ts';
import { createRegistry, type Registry } from '../../../local/stores/registry.ts';
import { StateFileError } from '../../../local/stores/state-file.ts';

const NOW = Date.UTC(2026, 0, 1);
const VALIDITY = { notBeforeMs: NOW, notAfterMs: NOW + 86_400_000 };

let directory: string;
let pems: readonly string[];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'registry-'));
  const authority: Credential = await createAuthority([['CN', 'CA']], VALIDITY);
  const credentials = [1, 2].map((n) =>
    issueClient(
      authority,
      [
        ['CN', `t${n}`],
        ['O', 'f1'],
        ['O', 'a,b=c'],
        ['OU', 'x*y'],
      ],
      VALIDITY,
    ),
  );
  pems = (await Promise.all(credentials)).map(({ certificatePem }) => certificatePem);
});
afterAll(() => rm(directory, { recursive: true }));

const open = (folder?: string): Registry =>
  createRegistry({
    now: () => NOW,
    accountId: '000000000000',
    region: 'eu-central-1',
    ...(folder !== undefined && { directory: join(directory, folder) }),
  });

const ALLOW_ALL =
  '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:*","Resource":"*"}}';

const certificate = (registry: Registry, index = 0) =>
  registry.addCertificate({ reading: parseCertificate(pems[index] ?? ''), status: 'ACTIVE' });

/** A thing in a fleet with its certificate attached. */
function device(registry: Registry, thingName = 't1') {
  registry.createThing({ thingName, attributes: { fleet: 'f1' } });
  const { certificateId } = certificate(registry);
  const arn = registry.arn.certificate(certificateId);
  registry.attachThingPrincipal(thingName, arn);
  return { certificateId, arn };
}

describe('things', () => {
  it('are made once, however often they are asked for', () => {
    const registry = open();
    const first = registry.createThing({ thingName: 't1', attributes: { a: '1', b: '2' } });
    expect(registry.createThing({ thingName: 't1', attributes: { b: '2', a: '1' } })).toBe(first);
    expect(() => registry.createThing({ thingName: 't1' })).toThrow(
      expect.objectContaining({
        code: 'ResourceAlreadyExistsException',
        details: { resourceId: first.thingId, resourceArn: registry.arn.thing('t1') },
      }),
    );
  });

  it('have three attributes without a type and fifty with one', () => {
    const registry = open();
    registry.createThingType('sensor');
    const attributes = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}`, 'x']));
    const make = (thingName: string, count: number, thingTypeName?: string) => () =>
      registry.createThing({ thingName, thingTypeName, attributes: attributes(count) });
    expect(make('a', 3)).not.toThrow();
    expect(make('b', 4)).toThrow('has 4 attributes; a thing without a type has at most 3');
    expect(make('c', 50, 'sensor')).not.toThrow();
    expect(make('d', 51, 'sensor')).toThrow('at most 50');
    expect(make('e', 1, 'pump')).toThrow('thing type "pump" does not exist');
  });

  it.each([
    { what: 'replaces', merge: false, after: { b: '3', c: '4' } },
    { what: 'merges', merge: true, after: { a: '1', b: '3', c: '4' } },
  ])('an update $what attributes', ({ merge, after }) => {
    const registry = open();
    registry.createThing({ thingName: 't1', attributes: { a: '1', b: '2' } });
    const next = registry.updateThing('t1', { attributes: { b: '3', c: '4', d: '' }, merge });
    expect(next).toMatchObject({ attributes: after, version: 2 });
  });

  it('keep their type and attributes through an update that speaks of neither', () => {
    const registry = open();
    registry.createThingType('sensor');
    registry.createThing({ thingName: 't1', thingTypeName: 'sensor', attributes: { a: '1' } });
    expect(registry.updateThing('t1', {})).toMatchObject({
      thingTypeName: 'sensor',
      attributes: { a: '1' },
    });
    expect(registry.updateThing('t1', { removeThingType: true }).thingTypeName).toBeUndefined();
  });

  it('refuse an update from another version', () => {
    const registry = open();
    registry.createThing({ thingName: 't1' });
    expect(() => registry.updateThing('t1', { expectedVersion: 2 })).toThrow(
      expect.objectContaining({ code: 'VersionConflictException' }),
    );
  });

  it('stay while a principal is attached', () => {
    const registry = open();
    const { arn } = device(registry);
    expect(() => registry.deleteThing('t1')).toThrow('while 1 principal(s) are attached');
    registry.detachThingPrincipal('t1', arn);
    registry.deleteThing('t1');
    expect(registry.thing('t1')).toBeUndefined();
  });

  it.each(['', 'a/b', 'a b', 'x'.repeat(129)])('are not named %j', (thingName) => {
    expect(() => open().createThing({ thingName })).toThrow('is not a thing name');
  });
});

describe('certificates', () => {
  it('are deleted when they are inactive and detached, and not before', () => {
    const registry = open();
    const { certificateId, arn } = device(registry);
    registry.createPolicy('p', ALLOW_ALL);
    registry.attachPolicy('p', arn);
    const remove = (force?: boolean) => () => registry.deleteCertificate(certificateId, force);
    expect(remove()).toThrow(expect.objectContaining({ code: 'CertificateStateException' }));
    registry.updateCertificate(certificateId, 'INACTIVE');
    expect(remove(true)).toThrow('still has thing t1; detach first');
    registry.detachThingPrincipal('t1', arn);
    expect(remove()).toThrow('still has policy p; detach first');
    expect(remove(true)).not.toThrow();
    expect(registry.targetsOf('p')).toEqual([]);
  });

  it.each(['PENDING_TRANSFER', 'PENDING_ACTIVATION', 'nonsense'])('cannot be set %s', (status) => {
    const registry = open();
    const { certificateId } = certificate(registry);
    expect(() => registry.updateCertificate(certificateId, status)).toThrow(
      `${status} cannot be set`,
    );
  });

  it('are registered once', () => {
    const registry = open();
    const { certificateId } = certificate(registry);
    expect(() => certificate(registry)).toThrow(
      expect.objectContaining({
        code: 'ResourceAlreadyExistsException',
        details: {
          resourceId: certificateId,
          resourceArn: registry.arn.certificate(certificateId),
        },
      }),
    );
  });
});

describe('policies', () => {
  it('have five versions, of which one holds', () => {
    const registry = open();
    registry.createPolicy('p', ALLOW_ALL);
    const denied = ALLOW_ALL.replace('Allow', 'Deny');
    for (const version of ['2', '3', '4', '5'])
      expect(registry.createPolicyVersion('p', denied, version === '5').versionId).toBe(version);
    expect(registry.defaultDocument('p')).toBe(denied);
    expect(() => registry.createPolicyVersion('p', denied)).toThrow(
      expect.objectContaining({ code: 'VersionsLimitExceededException' }),
    );
    expect(() => registry.deletePolicyVersion('p', '5')).toThrow('is the default');
    registry.deletePolicyVersion('p', '4');
    expect(registry.createPolicyVersion('p', denied).versionId).toBe('6');
    registry.setDefaultPolicyVersion('p', '1');
    expect(registry.defaultDocument('p')).toBe(ALLOW_ALL);
  });

  it('are deleted when nothing uses them and no other version is left', () => {
    const registry = open();
    const { arn } = device(registry);
    registry.createPolicy('p', ALLOW_ALL);
    registry.attachPolicy('p', arn);
    registry.createPolicyVersion('p', ALLOW_ALL);
    expect(() => registry.deletePolicy('p')).toThrow('is attached to');
    registry.detachPolicy('p', arn);
    expect(() => registry.deletePolicy('p')).toThrow('has 2 versions');
    registry.deletePolicyVersion('p', '2');
    registry.deletePolicy('p');
    expect(registry.policy('p')).toBeUndefined();
  });

  it.each([
    { what: 'text', document: 'hello', problem: 'not JSON' },
    {
      what: 'a foreign member',
      document: ALLOW_ALL.replace('Effect', 'Effekt'),
      problem: 'Statement',
    },
    {
      what: '2,049 characters',
      document: ALLOW_ALL.replace('*', 'x'.repeat(2049 - ALLOW_ALL.length + 1)),
      problem: '2049 characters without white space',
    },
  ])('are not $what', ({ document, problem }) => {
    const make = () => open().createPolicy('p', document);
    expect(make).toThrow(expect.objectContaining({ code: 'MalformedPolicyException' }));
    expect(make).toThrow(problem);
  });

  it('come ten to a target', () => {
    const registry = open();
    const { arn } = device(registry);
    for (let n = 0; n < 11; n++) registry.createPolicy(`p${n}`, ALLOW_ALL);
    for (let n = 0; n < 10; n++) registry.attachPolicy(`p${n}`, arn);
    registry.attachPolicy('p0', arn);
    expect(() => registry.attachPolicy('p10', arn)).toThrow(
      expect.objectContaining({ code: 'LimitExceededException' }),
    );
  });

  it('hold for a certificate: its own, and for its thing those of the groups', () => {
    const registry = open();
    const { certificateId, arn } = device(registry);
    for (const name of ['own', 'group', 'parent', 'other']) registry.createPolicy(name, ALLOW_ALL);
    registry.createThingGroup({ thingGroupName: 'all' });
    registry.createThingGroup({ thingGroupName: 'north', parentGroupName: 'all' });
    registry.createThingGroup({ thingGroupName: 'south' });
    registry.addThingToGroup('north', 't1');
    registry.attachPolicy('own', arn);
    registry.attachPolicy('group', registry.arn.thingGroup('north'));
    registry.attachPolicy('parent', registry.arn.thingGroup('all'));
    registry.attachPolicy('other', registry.arn.thingGroup('south'));
    const names = (clientId?: string) =>
      registry.policiesOf(certificateId, clientId).map(({ name }) => name);
    expect(names('t1')).toEqual(['own', 'group', 'parent']);
    expect(names('another')).toEqual(['own']);
    expect(names()).toEqual(['own']);
    registry.removeThingFromGroup('north', 't1');
    expect(names('t1')).toEqual(['own']);
  });
});

describe('attachments', () => {
  it('can be asked for from both sides', () => {
    const registry = open();
    const { arn } = device(registry);
    registry.createThing({ thingName: 't2' });
    registry.attachThingPrincipal('t2', arn);
    registry.attachThingPrincipal('t2', arn);
    expect(registry.thingsOfPrincipal(arn)).toEqual(['t1', 't2']);
    expect(registry.principalsOf('t2')).toEqual([arn]);
  });

  it.each([
    {
      principal: 'arn:aws:iot:eu-central-1:000000000000:cert/ff',
      code: 'ResourceNotFoundException',
    },
    { principal: 'arn:aws:iam::000000000000:user/u', code: 'InvalidRequestException' },
    { principal: 'me', code: 'InvalidRequestException' },
  ])('of $principal are refused', ({ principal, code }) => {
    const registry = open();
    registry.createThing({ thingName: 't1' });
    expect(() => registry.attachThingPrincipal('t1', principal)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('of a Cognito identity are taken as they are', () => {
    const registry = open();
    registry.createPolicy('p', ALLOW_ALL);
    const identity = 'eu-central-1:01234567-89ab-cdef-0123-456789abcdef';
    registry.attachPolicy('p', identity);
    expect(registry.policiesOfTarget(identity)).toEqual([
      { name: 'p', document: JSON.parse(ALLOW_ALL) },
    ]);
  });
});

describe('the context of a connection', () => {
  it('holds what the certificate says', () => {
    const registry = open();
    const { certificateId } = certificate(registry);
    expect(registry.connectionContext(certificateId)).toMatchObject({
      'iot:CertificateId': certificateId,
      'iot:Certificate.Subject.CommonName': 't1',
      'iot:Certificate.Subject.Organization': 'f1',
      'iot:Certificate.Subject.Organization.1': 'a\\,b\\=c',
      'iot:Certificate.Subject.Organization.List': ['f1', 'a\\,b\\=c'],
      'iot:Certificate.Issuer.CommonName': 'CA',
      'iot:Certificate.SerialNumber': expect.stringMatching(/^\d+$/),
    });
  });

  it('holds the thing only where client id and attachment agree', () => {
    const registry = open();
    const { certificateId } = device(registry);
    registry.createThing({ thingName: 't2', attributes: { fleet: 'f2' } });
    expect(registry.connectionContext(certificateId, 't1')).toMatchObject({
      'iot:ClientId': 't1',
      'iot:Connection.Thing.ThingName': 't1',
      'iot:Connection.Thing.IsAttached': 'true',
      'iot:Connection.Thing.Attributes[fleet]': 'f1',
    });
    const foreign = registry.connectionContext(certificateId, 't2');
    expect(foreign).toMatchObject({
      'iot:ClientId': 't2',
      'iot:Connection.Thing.IsAttached': 'false',
      [HINTS.attachedThings]: ['t1'],
    });
    expect(foreign).not.toHaveProperty(['iot:Connection.Thing.ThingName']);
    expect(registry.connectionContext(certificateId)).not.toHaveProperty(['iot:ClientId']);
  });

  it('feeds the policy engine, whose refusal names the thing', () => {
    const registry = open();
    const { certificateId, arn } = device(registry);
    const resource = `arn:aws:iot:eu-central-1:000000000000:client/\${iot:Connection.Thing.ThingName}`;
    const document = JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: 'iot:Connect', Resource: resource },
    });
    registry.createPolicy('device', document);
    registry.attachPolicy('device', arn);
    const connect = (clientId: string) =>
      decide(compilePolicies(registry.policiesOf(certificateId, clientId), 'iot'), {
        action: 'iot:Connect',
        resource: `arn:aws:iot:eu-central-1:000000000000:client/${clientId}`,
        context: registry.connectionContext(certificateId, clientId),
      });
    expect(connect('t1').allowed).toBe(true);
    expect(connect('t9').fix).toBe('client id `t9` differs from thing `t1`: connect as `t1`');
  });
});

describe('changes', () => {
  it('are told to who listens, until they stop', () => {
    const registry = open();
    const changes: RegistryChange[] = [];
    const stop = registry.onChange((change) => changes.push(change));
    const { certificateId } = device(registry);
    registry.updateCertificate(certificateId, 'INACTIVE');
    stop();
    registry.updateCertificate(certificateId, 'ACTIVE');
    expect(changes).toEqual([
      { kind: 'thing', name: 't1', event: 'created' },
      { kind: 'certificate', name: certificateId, event: 'created' },
      { kind: 'certificate', name: certificateId, event: 'attached' },
      { kind: 'certificate', name: certificateId, event: 'updated' },
    ]);
  });
});

describe('the file', () => {
  it('brings everything back', async () => {
    const registry = open('kept');
    const { certificateId, arn } = device(registry);
    registry.createThingType('sensor', 'measures');
    registry.createThingGroup({ thingGroupName: 'g', description: 'd' });
    registry.addThingToGroup('g', 't1');
    registry.createPolicy('p', ALLOW_ALL);
    registry.attachPolicy('p', arn);
    registry.addAuthority({
      reading: parseCertificate(pems[1] ?? ''),
      active: true,
      autoRegistration: true,
      certificateMode: 'SNI_ONLY',
    });
    await registry.close();
    const again = open('kept');
    const view = (each: Registry) => ({
      things: each.listThings(),
      certificates: each.listCertificates(),
      authorities: each.listAuthorities(),
      policies: each.policiesOf(certificateId, 't1'),
      groups: each.groupsOf('t1'),
      context: each.connectionContext(certificateId, 't1'),
      code: each.registrationCode,
    });
    expect(view(again)).toEqual(view(registry));
  });

  it('holds the last of many changes', async () => {
    const registry = open('many');
    for (let n = 0; n < 500; n++) {
      registry.createThing({ thingName: `t${n}` });
      if (n % 100 === 0) await registry.flush();
    }
    await registry.flush();
    expect(open('many').listThings()).toHaveLength(500);
  });

  it.each([
    { what: 'not JSON', content: '{"format":1,', problem: 'SyntaxError' },
    { what: 'not a registry', content: '{"format":1,"things":{}}', problem: 'things' },
  ])('that is $what is refused by name', async ({ what, content, problem }) => {
    await open(what).flush();
    const path = join(directory, what, 'registry.json');
    await writeFile(path, content);
    expect(() => open(what)).toThrow(`${path} is not a device registry`);
    expect(() => open(what)).toThrow(StateFileError);
    expect(() => open(what)).toThrow(problem);
    expect(await readFile(path, 'utf8')).toBe(content);
  });
});
