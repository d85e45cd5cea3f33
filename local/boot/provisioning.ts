import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { ServiceTopics } from '../core/mqtt/service-topics.ts';
import { parseTemplateBody } from '../core/provisioning/template-body.ts';
import type { ResolvedResource, ResolvedStack } from '../core/template/index.ts';
import type { LambdaRuntime } from '../runtime/lambda.ts';
import { iotMayInvoke } from '../runtime/lambda-permission.ts';
import {
  fleetProvisioning,
  type ProvisioningTemplate,
} from '../runtime/provisioning/fleet-provisioning.ts';
import type { Identity } from './identity.ts';
import { arnOf, collectProblems, ofType, propertiesOf } from './resources.ts';
import type { Roles } from './roles.ts';
import type { World } from './world.ts';

const Properties = z.strictObject({
  TemplateName: z.string().optional(),
  TemplateType: z
    .literal('FLEET_PROVISIONING', 'the laptop provisions by claim only')
    .default('FLEET_PROVISIONING'),
  Description: z.unknown().optional(),
  Enabled: z.boolean().default(false),
  ProvisioningRoleArn: z.string(),
  PreProvisioningHook: z
    .strictObject({ PayloadVersion: z.literal('2020-04-01').optional(), TargetArn: z.string() })
    .optional(),
  TemplateBody: z.string(),
  Tags: z.unknown().optional(),
});

function declaredTemplate(resource: ResolvedResource): ProvisioningTemplate {
  const properties = propertiesOf(resource, Properties);
  const hookArn = properties.PreProvisioningHook?.TargetArn;
  return {
    name: resource.name,
    arn: arnOf(resource),
    enabled: properties.Enabled,
    roleArn: properties.ProvisioningRoleArn,
    body: parseTemplateBody(properties.TemplateBody),
    ...(hookArn !== undefined && { hookArn }),
  };
}

/**
 * The template's provisioning templates, on their MQTT topics.
 *
 * @returns nothing where there are none
 * @throws {BootError} naming what is wrong or not supported
 */
export function openProvisioning(
  stack: ResolvedStack,
  { accountId, clock, now, log }: World,
  {
    registry,
    pki,
    lambda,
    roles,
  }: Pick<Identity, 'registry' | 'pki'> & {
    readonly lambda: Pick<LambdaRuntime, 'invoke'>;
    readonly roles: Pick<Roles, 'authorizeRole'>;
  },
): ServiceTopics | undefined {
  const declared = ofType(stack, 'AWS::IoT::ProvisioningTemplate');
  if (declared.length === 0) return undefined;
  const permissions = ofType(stack, 'AWS::Lambda::Permission').map(({ properties }) => properties);
  return fleetProvisioning({
    templates: collectProblems(() => declared.map(declaredTemplate)),
    ...{ registry, pki, now, sleep: clock.sleep },
    token: () => randomBytes(32).toString('base64url'),
    invokeHook: async ({ arn: sourceArn, hookArn: functionArn = '' }, event) =>
      iotMayInvoke(permissions, { functionArn, sourceArn, accountId })
        ? lambda.invoke(functionArn, event)
        : 'not permitted',
    lacking: (roleArn, action, resource) => {
      const { allowed, explanation } = roles.authorizeRole(roleArn, { action, resource });
      return allowed ? undefined : explanation;
    },
    warn: (message) => log({ level: 'warn', source: 'provisioning', message }),
  });
}
