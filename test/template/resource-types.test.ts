import { expect, it } from '@jest/globals';
import { EVERYTHING } from '../support/everything.ts';
import { packageService } from '../support/template.ts';
import { statementsOf } from './statements.ts';

/**
 * What an ARN must be of for a grant of an action to have an effect; none: only `*` has.
 * Service Authorization Reference, "Actions, resources, and condition keys for AWS IoT", as of June 2026.
 */
const RESOURCE_TYPES: Readonly<Record<string, readonly string[]>> = {
  AttachPolicy: ['cert', 'thinggroup'],
  AttachThingPrincipal: ['cert'],
  CreateThing: ['thing', 'billinggroup'],
  DeleteConnection: ['client'],
  DescribeCACertificate: ['cacert'],
  DescribeCertificate: ['cert'],
  DescribeEndpoint: [],
  DescribeRoleAlias: ['rolealias'],
  DescribeThing: ['thing'],
  DetachPolicy: ['cert', 'thinggroup'],
  DetachThingPrincipal: ['cert'],
  GetLoggingOptions: [],
  GetPolicy: ['policy'],
  GetPolicyVersion: ['policy'],
  GetV2LoggingOptions: [],
  ListAttachedPolicies: [],
  ListCACertificates: [],
  ListCertificates: [],
  ListPolicies: [],
  ListPrincipalPolicies: [],
  ListPrincipalThings: ['cert'],
  ListRoleAliases: [],
  ListTargetsForPolicy: ['policy'],
  ListThingPrincipals: ['thing'],
  Publish: ['topic'],
  RetainPublish: ['topic'],
  UpdateCertificate: ['cert'],
};

const { template } = packageService({ stage: 'prod', params: EVERYTHING });

const granted = statementsOf(template)
  .filter(({ resourceId }) => template.Resources[resourceId]?.Type === 'AWS::IAM::Role')
  .flatMap(({ where, actions, resources }) =>
    actions.flatMap((action) =>
      action.startsWith('iot:') && !/^iot:(Connect|Subscribe|Receive)$/.test(action)
        ? resources.map((resource) => ({ where, action: action.slice('iot:'.length), resource }))
        : [],
    ),
  );

const typeOf = (arn: string): string => /^[^/]*:([a-z]+)\//.exec(arn)?.[1] ?? arn;

it('roles name each action of AWS IoT with a resource that it can have', () => {
  const wrong = granted.filter(
    ({ action, resource }) =>
      resource !== '*' && RESOURCE_TYPES[action]?.includes(typeOf(resource)) !== true,
  );
  expect(wrong).toEqual([]);
  expect(granted.length).toBeGreaterThan(30);
});

it('no action is granted that the table does not know', () => {
  const unknown = granted.filter(({ action }) => !(action in RESOURCE_TYPES));
  expect(unknown).toEqual([]);
});
