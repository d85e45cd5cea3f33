import * as z from 'zod';
import { type CompiledPolicies, compilePolicies, decide } from '../core/policy/index.ts';
import type { ResolvedStack } from '../core/template/index.ts';
import type { Need } from '../operations/operation.ts';
import { arnOf, BootError, ofType, propertiesOf } from './resources.ts';
import type { Verdict } from './roles.ts';

/** For whom a service acts: the topic or rule that made it call. */
export interface Source {
  readonly arn: string;
  readonly accountId: string;
}

/** What queues, topics, keys and buckets let services do by policies of their own. */
export interface ResourcePolicies {
  /** @param service  `sns.amazonaws.com` */
  readonly authorizeService: (service: string, need: Need, source: Source) => Verdict;
}

const strings = z.union([z.string(), z.array(z.string())]);
const Statement = z.looseObject({
  Principal: z.union([z.literal('*'), z.record(z.string(), strings)]).optional(),
  NotPrincipal: z.undefined('the laptop does not read NotPrincipal').optional(),
});
const Document = z.looseObject({ Statement: z.union([Statement, z.array(Statement)]) });

const QueuePolicy = z.object({ Queues: z.array(z.string()), PolicyDocument: Document });
const TopicPolicy = z.object({ Topics: z.array(z.string()), PolicyDocument: Document });
const KeyPolicy = z.object({ KeyPolicy: Document });
const BucketPolicy = z.object({ Bucket: z.string(), PolicyDocument: Document });

interface Policy {
  readonly name: string;
  readonly resourceArn: string;
  readonly document: z.infer<typeof Document>;
}

/** @throws {BootError} for a document that is none */
export function loadResourcePolicies(stack: ResolvedStack): ResourcePolicies {
  const policies = policiesOf(stack);
  const compiled = new Map<string, CompiledPolicies>();
  const forService = (service: string, resourceArn: string): CompiledPolicies => {
    const id = `${service} ${resourceArn}`;
    const known = compiled.get(id) ?? compileFor(service, policies, resourceArn);
    compiled.set(id, known);
    return known;
  };
  return {
    authorizeService(service, need, { arn, accountId }) {
      const context = {
        'aws:SourceArn': arn,
        'aws:SourceAccount': accountId,
        'aws:SecureTransport': 'true',
        'aws:PrincipalIsAWSService': 'true',
        ...need.context,
      };
      const { action, resource } = need;
      return decide(forService(service, ownerOf(resource)), { action, resource, context });
    },
  };
}

/** The bucket of an object; any other resource itself. */
const ownerOf = (arn: string): string => (arn.includes(':s3:::') ? arn.replace(/\/.*$/, '') : arn);

function policiesOf(stack: ResolvedStack): Policy[] {
  const queueArns = new Map(
    ofType(stack, 'AWS::SQS::Queue').map((queue) => [queue.physicalId, arnOf(queue)]),
  );
  return [
    ...ofType(stack, 'AWS::SQS::QueuePolicy').flatMap((policy) => {
      const { Queues, PolicyDocument } = propertiesOf(policy, QueuePolicy);
      return Queues.map((url) => ({
        name: policy.logicalId,
        resourceArn: queueArns.get(url) ?? url,
        document: PolicyDocument,
      }));
    }),
    ...ofType(stack, 'AWS::SNS::TopicPolicy').flatMap((policy) => {
      const { Topics, PolicyDocument: document } = propertiesOf(policy, TopicPolicy);
      return Topics.map((resourceArn) => ({ name: policy.logicalId, resourceArn, document }));
    }),
    ...ofType(stack, 'AWS::KMS::Key').flatMap((key) => {
      const document = propertiesOf(key, KeyPolicy.partial()).KeyPolicy;
      if (document === undefined) return [];
      return [{ name: key.logicalId, resourceArn: arnOf(key), document }];
    }),
    ...ofType(stack, 'AWS::S3::BucketPolicy').map((policy) => {
      const { Bucket, PolicyDocument } = propertiesOf(policy, BucketPolicy);
      const resourceArn = `arn:aws:s3:::${Bucket}`;
      return { name: policy.logicalId, resourceArn, document: PolicyDocument };
    }),
  ];
}

/** The statements about one service, as a policy that it would hold itself. */
function compileFor(
  service: string,
  policies: readonly Policy[],
  resourceArn: string,
): CompiledPolicies {
  const sources = policies
    .filter((policy) => policy.resourceArn === resourceArn)
    .map(({ name, document }) => ({
      name,
      document: { ...document, ...heldBy(service, document) },
    }))
    .filter(({ document }) => document.Statement.length > 0);
  try {
    return compilePolicies(sources, 'iam');
  } catch (error) {
    throw new BootError([error instanceof Error ? error.message : String(error)]);
  }
}

function heldBy(service: string, { Statement: statements }: z.infer<typeof Document>) {
  const all = Array.isArray(statements) ? statements : [statements];
  return {
    Statement: all
      .filter(({ Principal }) => names(Principal, service))
      .map(({ Principal: _, ...statement }) => statement),
  };
}

function names(principal: z.infer<typeof Statement>['Principal'], service: string): boolean {
  if (principal === undefined || principal === '*') return principal === '*';
  return [principal['Service'] ?? [], principal['AWS'] ?? []]
    .flat()
    .some((name) => name === service || name === '*');
}
