import * as z from 'zod';
import { RegistryError, STATUS_OF } from '../../core/registry/index.ts';
import { CertificateError, type DevelopmentPki } from '../../pki/index.ts';
import type { Registry } from '../../stores/registry.ts';
import { AwsError, type Need, type Operation, operation, type RestParts } from '../operation.ts';

/** What the control plane of AWS IoT works on. */
export interface IotDeps {
  readonly registry: Registry;
  readonly pki: Pick<DevelopmentPki, 'issueAsAws' | 'signAsAws'>;
  readonly accountId: string;
  /** Host of an endpoint by its type (`iot:Data-ATS`, …); undefined for those that the laptop has not. */
  readonly endpointOf?: (endpointType: string) => string | undefined;
}

interface IotCall<Input> {
  readonly name: string;
  /** `PUT /things/{thingName}` */
  readonly http: string;
  readonly input: z.ZodType<Input>;
  readonly fromHttp?: (parts: RestParts) => unknown;
  /** ARNs the caller's role must grant `iot:<name>` on; `*` for a call that has no resource. */
  readonly on: (input: Input) => string | readonly string[];
  readonly context?: (input: Input) => Readonly<Record<string, string>>;
  readonly run: (input: Input) => unknown;
}

/** One call of the control plane; the registry's refusals become AWS's errors. */
export function iotOperation<Input>(call: IotCall<Input>): Operation {
  const [method = '', path = ''] = call.http.split(' ');
  return operation({
    route: { service: 'iot', method, path },
    input: call.input,
    invalidInputCode: 'InvalidRequestException',
    ...(call.fromHttp !== undefined && { fromHttp: call.fromHttp }),
    needs: (input) => needsOf(call, input),
    run: async ({ input }) => {
      try {
        return await call.run(input);
      } catch (error) {
        throw asAwsError(error);
      }
    },
  });
}

function needsOf<Input>({ name, on, context }: IotCall<Input>, input: Input): Need[] {
  const resources = on(input);
  return (typeof resources === 'string' ? [resources] : resources).map((resource) => ({
    action: `iot:${name}`,
    resource,
    ...(context !== undefined && { context: context(input) }),
  }));
}

function asAwsError(error: unknown): unknown {
  if (error instanceof RegistryError)
    return new AwsError(error.code, error.message, STATUS_OF[error.code], {
      members: error.details,
    });
  if (error instanceof CertificateError)
    return new AwsError('CertificateValidationException', error.message);
  return error;
}

/** An input whose further members are refused by name: what the laptop cannot do, it does not pass over. */
export const members = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `the laptop does not have ${issue.keys.join(', ')}`
        : undefined,
  });

/** A boolean of the query string. */
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** A number of the query string. */
export const count = (least: number, most: number) =>
  z
    .string()
    .regex(/^-?\d+$/, 'not a whole number')
    .transform(Number)
    .pipe(z.int().min(least).max(most));

/** AWS writes times as seconds. */
export const seconds = (ms: number): number => ms / 1000;

/** Labels, query and body, and the principal out of its header. */
export const withPrincipalHeader = ({ labels, query, headers }: RestParts): unknown => ({
  ...Object.fromEntries(query),
  ...labels,
  principal: headers['x-amzn-principal'],
});

/** The principal as a resource of IAM: a certificate has an ARN, a Cognito identity has none. */
export const principalResource = (principal: string): string =>
  principal.startsWith('arn:') ? principal : '*';
