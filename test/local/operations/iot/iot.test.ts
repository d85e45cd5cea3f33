import { createPublicKey, createSign, webcrypto, X509Certificate } from 'node:crypto';
import 'reflect-metadata';
import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CertificateStateException,
  CertificateValidationException,
  CreateCertificateFromCsrCommand,
  CreateJobCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  CreateThingTypeCommand,
  DeleteCertificateCommand,
  DeleteConflictException,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteThingCommand,
  DescribeCACertificateCommand,
  DescribeCertificateCommand,
  DescribeEndpointCommand,
  DescribeThingCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  GetEffectivePoliciesCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRegistrationCodeCommand,
  InvalidRequestException,
  ListAttachedPoliciesCommand,
  ListCertificatesCommand,
  ListPoliciesCommand,
  ListPolicyVersionsCommand,
  ListPrincipalThingsCommand,
  ListTargetsForPolicyCommand,
  ListThingGroupsForThingCommand,
  ListThingPrincipalsCommand,
  ListThingsCommand,
  MalformedPolicyException,
  paginateListThings,
  RegisterCACertificateCommand,
  RegisterCertificateCommand,
  RegisterCertificateWithoutCACommand,
  RegistrationCodeValidationException,
  RemoveThingFromThingGroupCommand,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
  SetDefaultPolicyVersionCommand,
  TestAuthorizationCommand,
  UpdateCertificateCommand,
  UpdateThingCommand,
} from '@aws-sdk/client-iot';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { X509CertificateGenerator } from '@peculiar/x509';
import { type Credential, createAuthority, issueClient } from '../../../../local/pki/index.ts';
import { deviceRequest } from './device-request.ts';
import { ALLOW_ALL, ARN, NOW, openWorld, sharedPki, type World } from './iot-world.ts';

const VALIDITY = { notBeforeMs: NOW, notAfterMs: NOW + 86_400_000 };

let shared: Awaited<ReturnType<typeof sharedPki>>;
let fleet: Credential;
let deviceCertificate: string;
let world: World;
beforeAll(async () => {
  shared = await sharedPki();
  fleet = await createAuthority([['CN', 'Fleet CA']], VALIDITY);
  deviceCertificate = (await issueClient(fleet, [['CN', 't1']], VALIDITY)).certificatePem;
});
beforeEach(async () => {
  world = await openWorld(shared.pki);
});
afterEach(() => world.close());
afterAll(() => shared.remove());

/** A thing with an active certificate. */
async function device(thingName = 't1') {
  await world.iot.send(
    new CreateThingCommand({ thingName, attributePayload: { attributes: { fleet: 'f1' } } }),
  );
  const certificatePem = (await issueClient(fleet, [['CN', thingName]], VALIDITY)).certificatePem;
  const { certificateArn: principal = '', certificateId = '' } = await world.iot.send(
    new RegisterCertificateWithoutCACommand({ certificatePem, status: 'ACTIVE' }),
  );
  await world.iot.send(new AttachThingPrincipalCommand({ thingName, principal }));
  return { thingName, principal, certificateId };
}

describe('things', () => {
  it('are created, described, changed, listed and deleted', async () => {
    const { iot } = world;
    const thingName = 't:1';
    await iot.send(new CreateThingTypeCommand({ thingTypeName: 'sensor' }));
    const attributes = { fleet: 'f1', site: 'north' };
    const made = await iot.send(
      new CreateThingCommand({
        thingName,
        thingTypeName: 'sensor',
        attributePayload: { attributes },
      }),
    );
    expect(made).toMatchObject({
      thingName,
      thingArn: `${ARN}thing/t:1`,
      thingId: expect.any(String),
    });
    expect(await iot.send(new DescribeThingCommand({ thingName }))).toMatchObject({
      thingName,
      thingTypeName: 'sensor',
      attributes,
      version: 1,
      defaultClientId: thingName,
    });
    await iot.send(
      new UpdateThingCommand({
        thingName,
        attributePayload: { attributes: { site: '' }, merge: true },
        expectedVersion: 1,
      }),
    );
    const { things } = await iot.send(new ListThingsCommand({ thingTypeName: 'sensor' }));
    expect(things).toEqual([
      {
        thingName,
        thingTypeName: 'sensor',
        thingArn: `${ARN}thing/t:1`,
        attributes: { fleet: 'f1' },
        version: 2,
      },
    ]);
    await iot.send(new DeleteThingCommand({ thingName, expectedVersion: 2 }));
    await expect(iot.send(new DescribeThingCommand({ thingName }))).rejects.toThrow(
      ResourceNotFoundException,
    );
  });

  it('are listed in pages, which a deletion between them does not break', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) world.registry.createThing({ thingName: name });
    const seen: (string | undefined)[] = [];
    for await (const { things = [] } of paginateListThings(
      { client: world.iot, pageSize: 2 },
      {},
    )) {
      seen.push(...things.map(({ thingName }) => thingName));
      world.registry.deleteThing('b');
    }
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('are found by an attribute', async () => {
    world.registry.createThing({ thingName: 'a', attributes: { fleet: 'north-1' } });
    world.registry.createThing({ thingName: 'b', attributes: { fleet: 'south-1' } });
    const list = async (attributeValue: string, usePrefixAttributeValue: boolean) => {
      const query = { attributeName: 'fleet', attributeValue, usePrefixAttributeValue };
      const { things = [] } = await world.iot.send(new ListThingsCommand(query));
      return things.map(({ thingName }) => thingName);
    };
    expect(await list('north-1', false)).toEqual(['a']);
    expect(await list('north', false)).toEqual([]);
    expect(await list('north', true)).toEqual(['a']);
  });

  it('that exist with other attributes are refused with their ARN', async () => {
    await device();
    const again = world.iot.send(new CreateThingCommand({ thingName: 't1' }));
    await expect(again).rejects.toThrow(ResourceAlreadyExistsException);
    await expect(again).rejects.toMatchObject({
      resourceArn: `${ARN}thing/t1`,
      $metadata: { httpStatusCode: 409 },
    });
  });

  it('with what the laptop cannot do are refused by its name', async () => {
    const command = new CreateThingCommand({ thingName: 't1', billingGroupName: 'b' });
    await expect(world.iot.send(command)).rejects.toThrow(InvalidRequestException);
    await expect(world.iot.send(command)).rejects.toThrow(
      'the laptop does not have billingGroupName',
    );
  });
});

describe('certificates', () => {
  it('are made with a key that is shown once', async () => {
    const { iot } = world;
    const made = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    const key = createPublicKey(made.keyPair?.PublicKey ?? '');
    const signature = createSign('SHA256')
      .update('x')
      .sign(made.keyPair?.PrivateKey ?? '');
    expect(signature).toHaveLength(256);
    expect(new X509Certificate(made.certificatePem ?? '').publicKey.equals(key)).toBe(true);
    const { certificateDescription } = await iot.send(
      new DescribeCertificateCommand({ certificateId: made.certificateId }),
    );
    expect(certificateDescription).toMatchObject({
      certificateArn: `${ARN}cert/${made.certificateId}`,
      status: 'ACTIVE',
      certificateMode: 'DEFAULT',
      certificatePem: made.certificatePem,
      creationDate: new Date(NOW),
      validity: { notAfter: new Date(Date.UTC(2049, 11, 31, 23, 59, 59)) },
    });
    expect(JSON.stringify(world.registry.listCertificates())).not.toContain('PRIVATE');
  });

  it('are made from a request', async () => {
    const { request, publicKeyPem } = await deviceRequest('t1');
    const { certificatePem = '', certificateId = '' } = await world.iot.send(
      new CreateCertificateFromCsrCommand({ certificateSigningRequest: request }),
    );
    const certificate = new X509Certificate(certificatePem);
    expect(certificate.publicKey.equals(createPublicKey(publicKeyPem))).toBe(true);
    expect(certificate.subject).toBe('CN=t1');
    expect(world.registry.certificate(certificateId)?.status).toBe('INACTIVE');
  });

  it.each([
    'hello',
    '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----',
  ])('are not made from %j', async (certificateSigningRequest) => {
    const command = new CreateCertificateFromCsrCommand({ certificateSigningRequest });
    await expect(world.iot.send(command)).rejects.toThrow(CertificateValidationException);
  });

  it('are not registered with an RSA key of less than 2,048 bits', async () => {
    const key = { name: 'RSASSA-PKCS1-v1_5', modulusLength: 1024, hash: 'SHA-256' };
    const publicExponent = Uint8Array.of(1, 0, 1);
    const keys = await webcrypto.subtle.generateKey({ ...key, publicExponent }, true, [
      'sign',
      'verify',
    ]);
    const certificate = await X509CertificateGenerator.createSelfSigned(
      { name: 'CN=t1', keys },
      webcrypto,
    );
    const certificatePem = certificate.toString('pem');
    const caCertificate = certificatePem;
    await expect(
      world.iot.send(new RegisterCertificateWithoutCACommand({ certificatePem })),
    ).rejects.toThrow('RSA-1024 is not accepted');
    await expect(
      world.iot.send(new RegisterCertificateCommand({ certificatePem })),
    ).rejects.toThrow('RSA-1024 is not accepted');
    await expect(
      world.iot.send(new RegisterCACertificateCommand({ caCertificate })),
    ).rejects.toThrow('RSA-1024 is not accepted');
  });

  it('of an authority are registered after it has proven its key', async () => {
    const { iot } = world;
    const { registrationCode = '' } = await iot.send(new GetRegistrationCodeCommand({}));
    const proof = async (authority: Credential, code: string) =>
      (await issueClient(authority, [['CN', code]], VALIDITY)).certificatePem;
    const register = (verificationCertificate?: string) =>
      iot.send(
        new RegisterCACertificateCommand({
          caCertificate: fleet.certificatePem,
          verificationCertificate,
          setAsActive: true,
          allowAutoRegistration: true,
        }),
      );
    const impostor = await createAuthority([['CN', 'Fleet CA']], VALIDITY);
    await expect(register()).rejects.toThrow('needs a verificationCertificate');
    await expect(register(await proof(fleet, 'guess'))).rejects.toThrow(
      RegistrationCodeValidationException,
    );
    await expect(register(await proof(impostor, registrationCode))).rejects.toThrow(
      CertificateValidationException,
    );
    const command = new RegisterCertificateCommand({
      certificatePem: deviceCertificate,
      status: 'ACTIVE',
    });
    await expect(iot.send(command)).rejects.toThrow(
      'no registered, active CA signed this certificate',
    );

    const { certificateId: caCertificateId = '' } = await register(
      await proof(fleet, registrationCode),
    );
    const ca = await iot.send(new DescribeCACertificateCommand({ certificateId: caCertificateId }));
    expect(ca.certificateDescription).toMatchObject({
      status: 'ACTIVE',
      autoRegistrationStatus: 'ENABLE',
      certificateArn: `${ARN}cacert/${caCertificateId}`,
    });
    const { certificateId } = await iot.send(command);
    const described = await iot.send(new DescribeCertificateCommand({ certificateId }));
    expect(described.certificateDescription).toMatchObject({ status: 'ACTIVE', caCertificateId });
    await expect(iot.send(command)).rejects.toThrow(ResourceAlreadyExistsException);
  });

  it('of an authority in SNI_ONLY mode need no proof', async () => {
    const command = new RegisterCACertificateCommand({
      caCertificate: fleet.certificatePem,
      certificateMode: 'SNI_ONLY',
      setAsActive: true,
    });
    await world.iot.send(command);
    expect(world.registry.caCertificates()).toEqual([fleet.certificatePem]);
  });

  it('that are no authority are not registered as one', async () => {
    const command = new RegisterCACertificateCommand({
      caCertificate: deviceCertificate,
      certificateMode: 'SNI_ONLY',
    });
    await expect(world.iot.send(command)).rejects.toThrow('not the certificate of a CA');
  });

  it('are listed newest first, or oldest first', async () => {
    const ids: string[] = [];
    for (const name of ['t1', 't2', 't3']) ids.push((await device(name)).certificateId);
    const list = async (ascendingOrder?: boolean, marker?: string) =>
      world.iot.send(new ListCertificatesCommand({ pageSize: 2, ascendingOrder, marker }));
    const first = await list();
    const second = await list(undefined, first.nextMarker);
    const listed = [...(first.certificates ?? []), ...(second.certificates ?? [])];
    expect(listed.map(({ certificateId }) => certificateId)).toEqual(ids.toReversed());
    expect(second.nextMarker).toBeUndefined();
    expect((await list(true)).certificates?.[0]?.certificateId).toBe(ids[0]);
  });

  it('live and die as on AWS', async () => {
    const { iot } = world;
    const { thingName, principal, certificateId } = await device();
    const remove = () => iot.send(new DeleteCertificateCommand({ certificateId }));
    await expect(remove()).rejects.toThrow(CertificateStateException);
    await iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'INACTIVE' }));
    await expect(remove()).rejects.toThrow(DeleteConflictException);
    await expect(iot.send(new DeleteThingCommand({ thingName }))).rejects.toThrow(
      InvalidRequestException,
    );
    await iot.send(new DetachThingPrincipalCommand({ thingName, principal }));
    await remove();
    await expect(remove()).rejects.toThrow(ResourceNotFoundException);
  });

  it.each(['PENDING_TRANSFER', 'PENDING_ACTIVATION'] as const)(
    'cannot be set %s',
    async (newStatus) => {
      const { certificateId } = await device();
      const command = new UpdateCertificateCommand({ certificateId, newStatus });
      await expect(world.iot.send(command)).rejects.toThrow(InvalidRequestException);
    },
  );
});

describe('principals and things', () => {
  it('are found from both sides', async () => {
    const { thingName, principal } = await device();
    const principals = await world.iot.send(new ListThingPrincipalsCommand({ thingName }));
    expect(principals.principals).toEqual([principal]);
    const things = await world.iot.send(new ListPrincipalThingsCommand({ principal }));
    expect(things.things).toEqual([thingName]);
  });

  it('are not attached exclusively, and the call says so', async () => {
    const { thingName, principal } = await device();
    const command = new AttachThingPrincipalCommand({
      thingName,
      principal,
      thingPrincipalType: 'EXCLUSIVE_THING',
    });
    await expect(world.iot.send(command)).rejects.toThrow('NON_EXCLUSIVE_THING only');
  });
});

describe('policies', () => {
  const policyName = 'device';
  const create = (policyDocument = ALLOW_ALL) =>
    world.iot.send(new CreatePolicyCommand({ policyName, policyDocument }));

  it('are made, versioned and deleted', async () => {
    const { iot } = world;
    expect(await create()).toMatchObject({
      policyArn: `${ARN}policy/device`,
      policyVersionId: '1',
    });
    const denied = ALLOW_ALL.replace('Allow', 'Deny');
    const second = await iot.send(
      new CreatePolicyVersionCommand({ policyName, policyDocument: denied }),
    );
    expect(second).toMatchObject({ policyVersionId: '2', isDefaultVersion: false });
    expect(await iot.send(new GetPolicyCommand({ policyName }))).toMatchObject({
      policyDocument: ALLOW_ALL,
      defaultVersionId: '1',
    });
    await iot.send(new SetDefaultPolicyVersionCommand({ policyName, policyVersionId: '2' }));
    expect(await iot.send(new GetPolicyCommand({ policyName }))).toMatchObject({
      policyDocument: denied,
    });
    expect(
      await iot.send(new GetPolicyVersionCommand({ policyName, policyVersionId: '1' })),
    ).toMatchObject({ isDefaultVersion: false });
    const { policyVersions = [] } = await iot.send(new ListPolicyVersionsCommand({ policyName }));
    expect(
      policyVersions.map(({ versionId, isDefaultVersion }) => [versionId, isDefaultVersion]),
    ).toEqual([
      ['2', true],
      ['1', false],
    ]);
    await expect(iot.send(new DeletePolicyCommand({ policyName }))).rejects.toThrow(
      DeleteConflictException,
    );
    await iot.send(new DeletePolicyVersionCommand({ policyName, policyVersionId: '1' }));
    await iot.send(new DeletePolicyCommand({ policyName }));
    expect((await iot.send(new ListPoliciesCommand({}))).policies).toEqual([]);
  });

  it('that are none are refused with the place of the fault', async () => {
    const broken = create(ALLOW_ALL.replace('iot:*', 'Connect'));
    await expect(broken).rejects.toThrow(MalformedPolicyException);
    await expect(broken).rejects.toThrow('Statement.Action: "Connect" is not an action');
  });

  it('hold for a certificate and for its thing by way of groups', async () => {
    const { iot } = world;
    const { thingName, principal } = await device();
    const target = `${ARN}thinggroup/north`;
    await create();
    await iot.send(new CreatePolicyCommand({ policyName: 'group', policyDocument: ALLOW_ALL }));
    await iot.send(new CreatePolicyCommand({ policyName: 'parent', policyDocument: ALLOW_ALL }));
    await iot.send(new CreateThingGroupCommand({ thingGroupName: 'all' }));
    await iot.send(
      new CreateThingGroupCommand({ thingGroupName: 'north', parentGroupName: 'all' }),
    );
    await iot.send(
      new AddThingToThingGroupCommand({ thingGroupName: 'north', thingArn: `${ARN}thing/t1` }),
    );
    await iot.send(new AttachPolicyCommand({ policyName, target: principal }));
    await iot.send(new AttachPolicyCommand({ policyName: 'group', target }));
    await iot.send(
      new AttachPolicyCommand({ policyName: 'parent', target: `${ARN}thinggroup/all` }),
    );

    const names = (list: readonly { policyName?: string | undefined }[] = []) =>
      list.map((policy) => policy.policyName);
    const attached = (recursive: boolean) =>
      iot.send(new ListAttachedPoliciesCommand({ target, recursive }));
    expect(names((await attached(false)).policies)).toEqual(['group']);
    expect(names((await attached(true)).policies)).toEqual(['group', 'parent']);
    const targets = await iot.send(new ListTargetsForPolicyCommand({ policyName: 'group' }));
    expect(targets.targets).toEqual([target]);
    const groups = await iot.send(new ListThingGroupsForThingCommand({ thingName }));
    expect(groups.thingGroups).toEqual([{ groupName: 'north', groupArn: target }]);
    const effective = (thing?: string) =>
      iot.send(new GetEffectivePoliciesCommand({ principal, thingName: thing }));
    expect(names((await effective(thingName)).effectivePolicies)).toEqual([
      'device',
      'group',
      'parent',
    ]);
    expect(names((await effective()).effectivePolicies)).toEqual(['device']);

    await iot.send(new RemoveThingFromThingGroupCommand({ thingGroupName: 'north', thingName }));
    await iot.send(new DetachPolicyCommand({ policyName, target: principal }));
    expect((await effective(thingName)).effectivePolicies).toEqual([]);
  });
});

describe('TestAuthorization', () => {
  const variable = (name: string) => `\${${name}}`;
  const document = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: 'iot:Publish',
        Resource: `${ARN}topic/dt/${variable('iot:Connection.Thing.ThingName')}/*`,
      },
      { Effect: 'Deny', Action: 'iot:Publish', Resource: `${ARN}topic/*/secret` },
    ],
  });
  const ask = async (
    resources: string[],
    rest: { clientId?: string; policyNamesToAdd?: string[] } = {},
  ) => {
    const { principal } = await device();
    world.registry.createPolicy('device', document);
    world.registry.createPolicy('more', ALLOW_ALL);
    world.registry.attachPolicy('device', principal);
    const authInfos = [
      {
        actionType: 'PUBLISH' as const,
        resources: resources.map((topic) => `${ARN}topic/${topic}`),
      },
    ];
    const { authResults = [] } = await world.iot.send(
      new TestAuthorizationCommand({ authInfos, principal, clientId: 't1', ...rest }),
    );
    return authResults[0];
  };

  it('allows what a policy allows, and names it', async () => {
    expect(await ask(['dt/t1/a'])).toMatchObject({
      authDecision: AuthDecisionOf.allowed,
      allowed: { policies: [{ policyName: 'device', policyArn: `${ARN}policy/device` }] },
      missingContextValues: [],
    });
  });

  it('allows several resources together or not at all', async () => {
    expect(await ask(['dt/t1/a', 'dt/t2/a'])).toMatchObject({
      authDecision: AuthDecisionOf.implicit,
    });
  });

  it('names the policy that denies', async () => {
    expect(await ask(['dt/t1/secret'], { policyNamesToAdd: ['more'] })).toMatchObject({
      authDecision: AuthDecisionOf.explicit,
      denied: { explicitDeny: { policies: [{ policyName: 'device' }] } },
    });
  });

  it('names the values that were missing', async () => {
    expect(await ask(['dt/t1/a'], { clientId: 'other' })).toMatchObject({
      authDecision: AuthDecisionOf.implicit,
      missingContextValues: ['iot:Connection.Thing.ThingName'],
    });
  });
});

const AuthDecisionOf = { allowed: 'ALLOWED', implicit: 'IMPLICIT_DENY', explicit: 'EXPLICIT_DENY' };

describe('the rest', () => {
  it('describes the endpoint it has and names one it has not', async () => {
    const describeOne = (endpointType: string) =>
      world.iot.send(new DescribeEndpointCommand({ endpointType }));
    expect(await describeOne('iot:Data-ATS')).toMatchObject({ endpointAddress: 'localhost' });
    await expect(describeOne('iot:Jobs')).rejects.toThrow('no endpoint of type "iot:Jobs"');
  });

  it('refuses jobs by name', async () => {
    const command = new CreateJobCommand({
      jobId: 'j',
      targets: [`${ARN}thing/t1`],
      document: '{}',
    });
    await expect(world.iot.send(command)).rejects.toThrow(
      'CreateJob: the laptop has no jobs for things.',
    );
  });

  it('refuses shadows by name', async () => {
    const answer = await fetch(`${world.url}/things/t1/shadow`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({
      __type: 'UnknownOperationException',
      message: 'GetThingShadow: the laptop has no device shadows.',
    });
  });

  it.each([
    ['nextToken', new ListThingsCommand({ nextToken: 'x' })],
    ['maxResults', new ListThingsCommand({ maxResults: 9999 })],
  ])('refuses a %s that makes no sense', async (_, command) => {
    await expect(world.iot.send(command)).rejects.toThrow(InvalidRequestException);
  });
});

describe('the grants of a function', () => {
  it('are asked for by action and resource', async () => {
    const { asFunction, needs } = world;
    const { thingName, principal, certificateId } = await device();
    world.registry.createPolicy('p', ALLOW_ALL);
    await asFunction.send(new UpdateCertificateCommand({ certificateId, newStatus: 'ACTIVE' }));
    await asFunction.send(new AttachThingPrincipalCommand({ thingName, principal }));
    await asFunction.send(new AttachPolicyCommand({ policyName: 'p', target: principal }));
    await asFunction.send(new ListCertificatesCommand({}));
    expect(needs).toEqual([
      { action: 'iot:UpdateCertificate', resource: principal },
      {
        action: 'iot:AttachThingPrincipal',
        resource: principal,
        context: { 'iot:thingArn': `${ARN}thing/t1` },
      },
      { action: 'iot:AttachPolicy', resource: principal },
      { action: 'iot:ListCertificates', resource: '*' },
    ]);
  });

  it('are refused before anything happens', async () => {
    const poor = await openWorld(shared.pki, { denied: ['iot:CreateThing'] });
    const refused = poor.asFunction.send(new CreateThingCommand({ thingName: 't1' }));
    await expect(refused).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('iot:CreateThing'),
    });
    expect(poor.registry.listThings()).toEqual([]);
    await poor.close();
  });
});
