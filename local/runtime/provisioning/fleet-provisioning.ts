import * as z from 'zod';
import type { Asked, ServiceAnswer, ServiceTopics } from '../../core/mqtt/service-topics.ts';
import {
  evaluateTemplate,
  type Provisioned,
  type TemplateBody,
  TemplateError,
} from '../../core/provisioning/template-body.ts';
import { RegistryError } from '../../core/registry/index.ts';
import { CertificateError, type DevelopmentPki, parseCertificate } from '../../pki/index.ts';
import type { Registry } from '../../stores/registry.ts';
import type { InvokeResult } from '../lambda.ts';

export interface ProvisioningTemplate {
  readonly name: string;
  readonly arn: string;
  readonly enabled: boolean;
  readonly roleArn: string;
  readonly body: TemplateBody;
  /** ARN of the function that says who may be provisioned. */
  readonly hookArn?: string;
}

export interface FleetProvisioningOptions {
  readonly templates: readonly ProvisioningTemplate[];
  readonly registry: Registry;
  readonly pki: Pick<DevelopmentPki, 'signAsAws'>;
  /** Runs a hook, if the function's policy lets the template do so. */
  readonly invokeHook: (
    template: ProvisioningTemplate,
    event: object,
  ) => Promise<InvokeResult | 'not permitted'>;
  /** Whether the template's role grants it; says why not. */
  readonly lacking: (roleArn: string, action: string, resource: string) => string | undefined;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly now: () => number;
  /** A token nobody can guess. */
  readonly token: () => string;
  /** For the operator: the device is told less. */
  readonly warn: (message: string) => void;
}

const CREATE = '$aws/certificates/create-from-csr/json';
const PROVISION = /^\$aws\/provisioning-templates\/([^/]+)\/provision\/json$/;
const TOKEN_MS = 3_600_000;
const HOOK_MS = 5_000;

/** A request is refused; code and message go to the device. The codes are of the laptop: AWS documents none. */
class Rejection extends Error {
  readonly statusCode: number;
  readonly code: string;

  constructor(statusCode: number, code: string, message: string) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
  }
}

const Request = z.object({ certificateSigningRequest: z.string() });
const Registration = z.object({
  certificateOwnershipToken: z.string(),
  parameters: z.record(z.string(), z.string()).default({}),
});
const HookAnswer = z.object({
  allowProvisioning: z.boolean(),
  parameterOverrides: z.record(z.string(), z.string()).default({}),
});

interface Owned {
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly untilMs: number;
}

/**
 * Fleet provisioning by claim, in JSON and with keys that devices make: a request is signed, and with the token of the
 * answer a template makes thing, policies and an active certificate of it.
 *
 * @see AWS IoT Core Developer Guide, "Device provisioning MQTT API"
 */
export function fleetProvisioning(options: FleetProvisioningOptions): ServiceTopics {
  const { templates, warn } = options;
  const owned = new Map<string, Owned>();
  const templateAt = (topic: string): ProvisioningTemplate | undefined => {
    const [, name] = PROVISION.exec(topic) ?? [];
    return templates.find((template) => template.name === name);
  };
  const takes = (topic: string): boolean => topic === CREATE || templateAt(topic) !== undefined;

  const handle = async (asked: Asked): Promise<object> => {
    const template = templateAt(asked.topic);
    if (template === undefined) return createFromCsr(asked, owned, options);
    return register(asked, template, owned, options);
  };

  return {
    takes,
    answersOn: (filter) => takes(filter.replace(/\/(?:accepted|rejected)$/, '')),
    async ask(asked): Promise<ServiceAnswer> {
      try {
        return answer(`${asked.topic}/accepted`, await handle(asked));
      } catch (error) {
        const rejection = rejectionOf(error);
        warn(`${asked.clientId} was rejected on ${asked.topic}: ${rejection.message}`);
        const { statusCode, code: errorCode, message: errorMessage } = rejection;
        return answer(`${asked.topic}/rejected`, { statusCode, errorCode, errorMessage });
      }
    },
  };
}

const answer = (topic: string, body: object): ServiceAnswer => ({
  topic,
  payload: Buffer.from(JSON.stringify(body)),
});

function rejectionOf(error: unknown): Rejection {
  if (error instanceof Rejection) return error;
  if (error instanceof TemplateError) return new Rejection(400, 'InvalidParameters', error.message);
  if (error instanceof CertificateError) return new Rejection(400, 'InvalidCSR', error.message);
  if (error instanceof RegistryError) return new Rejection(400, error.code, error.message);
  throw error;
}

function read<Schema extends z.ZodType>(schema: Schema, payload: Uint8Array): z.output<Schema> {
  const result = schema.safeParse(parseJson(payload));
  if (result.success) return result.data;
  throw new Rejection(400, 'InvalidPayload', z.prettifyError(result.error));
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload).toString());
  } catch {
    throw new Rejection(400, 'InvalidPayload', 'is not JSON');
  }
}

async function createFromCsr(
  { payload }: Asked,
  owned: Map<string, Owned>,
  { registry, pki, now, token }: FleetProvisioningOptions,
): Promise<object> {
  forgetUnused(owned, registry, now());
  const { certificateSigningRequest } = read(Request, payload);
  const reading = parseCertificate(await pki.signAsAws(certificateSigningRequest));
  registry.addCertificate({ reading, status: 'PENDING_ACTIVATION' });
  const { certificateId, pem: certificatePem } = reading;
  const certificateOwnershipToken = token();
  owned.set(certificateOwnershipToken, {
    ...{ certificateId, certificatePem },
    untilMs: now() + TOKEN_MS,
  });
  return { certificateId, certificatePem, certificateOwnershipToken };
}

/** A certificate that nobody came back with in time is deleted. */
function forgetUnused(owned: Map<string, Owned>, registry: Registry, nowMs: number): void {
  for (const [token, { certificateId, untilMs }] of owned) {
    if (untilMs > nowMs) continue;
    owned.delete(token);
    if (registry.certificate(certificateId)?.status === 'PENDING_ACTIVATION') {
      registry.deleteCertificate(certificateId, true);
    }
  }
}

async function register(
  { payload, clientId, principal }: Asked,
  template: ProvisioningTemplate,
  owned: Map<string, Owned>,
  options: FleetProvisioningOptions,
): Promise<object> {
  const { registry, now } = options;
  forgetUnused(owned, registry, now());
  const { certificateOwnershipToken, parameters } = read(Registration, payload);
  const mine = owned.get(certificateOwnershipToken);
  if (mine === undefined) {
    const text = 'the token was not given, was used, or is older than an hour';
    throw new Rejection(403, 'InvalidCertificateOwnershipToken', text);
  }
  if (!template.enabled) throw denied('the template is not enabled');
  const { certificateId, certificatePem } = mine;
  const overrides = await askHook(template, options, {
    claimCertificateId: principal,
    ...{ certificateId, certificatePem, clientId, parameters },
    templateArn: template.arn,
  });
  const made = evaluateTemplate(template.body, {
    ...{ ...parameters, ...overrides },
    'AWS::IoT::Certificate::Id': certificateId,
  });
  carryOut(made, template, options);
  owned.delete(certificateOwnershipToken);
  return {
    deviceConfiguration: made.deviceConfiguration,
    ...(made.thing && { thingName: made.thing.name }),
  };
}

const denied = (text: string): Rejection => new Rejection(403, 'AccessDenied', text);

/** @throws {Rejection} when the hook says no, fails, or takes too long */
async function askHook(
  template: ProvisioningTemplate,
  { invokeHook, sleep, warn }: FleetProvisioningOptions,
  event: object,
): Promise<Readonly<Record<string, string>>> {
  if (template.hookArn === undefined) return {};
  const no = (why: string): Rejection => {
    warn(`the hook of ${template.name} let nobody in: ${why}`);
    return denied('the pre-provisioning hook did not allow it');
  };
  const done = new AbortController();
  const late = sleep(HOOK_MS, done.signal).then(() => 'too late' as const);
  const result = await Promise.race([invokeHook(template, event), late]).finally(() =>
    done.abort(),
  );
  if (result === 'not permitted') {
    throw no('no AWS::Lambda::Permission lets iot.amazonaws.com invoke it');
  }
  if (result === 'too late') throw no(`it did not answer within ${HOOK_MS / 1000} s`);
  if (!result.ok) throw no(`it failed: ${result.payload.errorType}`);
  const answered = HookAnswer.safeParse(result.payload);
  if (!answered.success) throw no(`it answered wrongly: ${z.prettifyError(answered.error)}`);
  if (!answered.data.allowProvisioning) throw no('it answered so');
  return answered.data.parameterOverrides;
}

function carryOut(
  { thing, certificate, policies }: Provisioned,
  { roleArn }: ProvisioningTemplate,
  { registry, lacking, warn }: FleetProvisioningOptions,
): void {
  const principal = registry.arn.certificate(certificate.id);
  const need = (action: string, resource: string): void => {
    const why = lacking(roleArn, action, resource);
    if (why === undefined) return;
    warn(why);
    throw denied(`the role of the template lacks ${action}`);
  };
  if (thing !== undefined) {
    need('iot:CreateThing', registry.arn.thing(thing.name));
    makeThing(thing, registry);
    need('iot:AttachThingPrincipal', principal);
    registry.attachThingPrincipal(thing.name, principal);
  }
  for (const policy of policies) {
    need('iot:AttachPolicy', principal);
    registry.attachPolicy(policy, principal);
  }
  need('iot:UpdateCertificate', principal);
  registry.updateCertificate(certificate.id, certificate.status);
}

function makeThing(
  { name, attributes, override }: NonNullable<Provisioned['thing']>,
  registry: Registry,
): void {
  if (registry.thing(name) === undefined) {
    registry.createThing({ thingName: name, attributes });
    return;
  }
  if (override === 'FAIL') throw denied(`thing ${name} is there already`);
  if (override !== 'DO_NOTHING') {
    registry.updateThing(name, { attributes, merge: override === 'MERGE' });
  }
}
