import * as z from 'zod';

const Value = z.union([z.string(), z.strictObject({ Ref: z.string() })]);
type Value = z.infer<typeof Value>;

/** What else of the template language there is (`Fn::Join`, groups, …) is refused by name. */
const Resource = z.discriminatedUnion('Type', [
  z.strictObject({
    Type: z.literal('AWS::IoT::Thing'),
    Properties: z.strictObject({
      ThingName: Value,
      AttributePayload: z.record(z.string(), Value).default({}),
    }),
    OverrideSettings: z
      .strictObject({ AttributePayload: z.enum(['DO_NOTHING', 'REPLACE', 'MERGE', 'FAIL']) })
      .default({ AttributePayload: 'DO_NOTHING' }),
  }),
  z.strictObject({
    Type: z.literal('AWS::IoT::Certificate'),
    Properties: z.strictObject({
      CertificateId: Value,
      Status: z.enum(['ACTIVE', 'INACTIVE']).default('ACTIVE'),
    }),
  }),
  z.strictObject({
    Type: z.literal('AWS::IoT::Policy'),
    Properties: z.strictObject({ PolicyName: Value }),
  }),
]);

const Body = z.strictObject({
  Parameters: z
    .record(
      z.string(),
      z.strictObject({ Type: z.literal('String'), Default: z.string().optional() }),
    )
    .default({}),
  Resources: z.record(z.string(), Resource),
  DeviceConfiguration: z.record(z.string(), z.string()).default({}),
});
export type TemplateBody = z.infer<typeof Body>;

/** What a template makes of a device. */
export interface Provisioned {
  readonly thing:
    | {
        readonly name: string;
        readonly attributes: Readonly<Record<string, string>>;
        readonly override: 'DO_NOTHING' | 'REPLACE' | 'MERGE' | 'FAIL';
      }
    | undefined;
  readonly certificate: { readonly id: string; readonly status: 'ACTIVE' | 'INACTIVE' };
  readonly policies: readonly string[];
  readonly deviceConfiguration: Readonly<Record<string, string>>;
}

/** A template does not fit the parameters; the message names what is missing. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/**
 * Reads the body of a provisioning template.
 *
 * @throws {TemplateError} naming what is wrong or not supported
 * @see AWS IoT Core Developer Guide, "Provisioning templates"
 */
export function parseTemplateBody(text: string): TemplateBody {
  const result = Body.safeParse(parseJson(text));
  if (!result.success) throw new TemplateError(z.prettifyError(result.error));
  const certificates = Object.values(result.data.Resources).filter(
    ({ Type }) => Type === 'AWS::IoT::Certificate',
  );
  if (certificates.length === 1) return result.data;
  throw new TemplateError(`a template wants one certificate, this has ${certificates.length}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TemplateError('is not JSON');
  }
}

/** @throws {TemplateError} when a parameter is missing, or refers to nothing */
export function evaluateTemplate(
  { Parameters, Resources, DeviceConfiguration }: TemplateBody,
  given: Readonly<Record<string, string>>,
): Provisioned {
  const parameters = new Map(
    Object.entries(Parameters).map(([name, { Default }]) => [name, given[name] ?? Default]),
  );
  const read = (value: Value): string => {
    if (typeof value === 'string') return value;
    const found = parameters.get(value.Ref);
    if (found !== undefined) return found;
    throw new TemplateError(`parameter ${value.Ref} has no value`);
  };
  for (const name of parameters.keys()) read({ Ref: name });

  const resources = Object.values(Resources);
  const thing = resources.find((one) => one.Type === 'AWS::IoT::Thing');
  const certificate = resources.find((one) => one.Type === 'AWS::IoT::Certificate');
  if (certificate === undefined) throw new TemplateError('a template wants a certificate');
  return {
    thing: thing && {
      name: read(thing.Properties.ThingName),
      attributes: Object.fromEntries(
        Object.entries(thing.Properties.AttributePayload).map(([name, value]) => [
          name,
          read(value),
        ]),
      ),
      override: thing.OverrideSettings.AttributePayload,
    },
    certificate: {
      id: read(certificate.Properties.CertificateId),
      status: certificate.Properties.Status,
    },
    policies: resources.flatMap((one) =>
      one.Type === 'AWS::IoT::Policy' ? [read(one.Properties.PolicyName)] : [],
    ),
    deviceConfiguration: DeviceConfiguration,
  };
}
