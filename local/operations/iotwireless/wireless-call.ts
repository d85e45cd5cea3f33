import * as z from 'zod';
import type { LorawanStore } from '../../runtime/lorawan/store.ts';
import {
  AwsError,
  HttpAnswer,
  type Need,
  type Operation,
  operation,
  type RestParts,
} from '../operation.ts';

/** A profile of the template. */
export interface Profile {
  readonly id: string;
  readonly arn: string;
  readonly name: string;
  readonly loRaWAN: Readonly<Record<string, unknown>>;
}

/** A destination of the template. */
export interface Destination {
  readonly name: string;
  readonly arn: string;
  readonly expressionType: 'RuleName' | 'MqttTopic';
  readonly expression: string;
  readonly roleArn: string;
}

/** What the control plane of AWS IoT Core for LoRaWAN works on. */
export interface WirelessDeps {
  readonly store: LorawanStore;
  readonly destinations: readonly Destination[];
  readonly deviceProfiles: readonly Profile[];
  readonly serviceProfiles: readonly Profile[];
  /** Whether IoT Core has such a certificate. */
  readonly hasCertificate: (certificateId: string) => boolean;
  readonly isConnected: (gatewayId: string) => boolean;
  /** `wss://…`; undefined where none listens. */
  readonly lnsEndpoint: () => string | undefined;
  /** What gateways trust the endpoint by. */
  readonly serverTrustPem: string;
  readonly accountId: string;
  readonly region: string;
  readonly now: () => number;
  readonly uuid: () => string;
}

interface WirelessCall<Input> {
  readonly name: string;
  /** `GET /wireless-devices/{Id}` */
  readonly http: string;
  readonly input: z.ZodType<Input>;
  /** 200 unless told; 204 sends no body. */
  readonly status?: number;
  /** What stands after `arn:aws:iotwireless:<region>:<account>:`; `*` for a call that has no resource. */
  readonly on: (input: Input) => string;
  readonly run: (input: Input) => object | undefined;
}

/** Path labels and query, whose names AWS writes with a small letter, and the JSON body. */
const membersOf = ({ labels, query, body }: RestParts): unknown => ({
  ...bodyOf(body),
  ...Object.fromEntries([...query].map(([name, value]) => [capitalised(name), value])),
  ...labels,
});

const capitalised = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

function bodyOf(body: Buffer): object {
  if (body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (value instanceof Object) return value;
  } catch {
    // told below
  }
  throw new AwsError('ValidationException', 'The body is not a JSON object.');
}

/** One call of AWS IoT Wireless. */
export function wirelessOperation<Input>(
  { accountId, region }: Pick<WirelessDeps, 'accountId' | 'region'>,
  call: WirelessCall<Input>,
): Operation {
  const [method = '', path = ''] = call.http.split(' ');
  const { status = 200 } = call;
  const needOf = (resource: string): Need => ({
    action: `iotwireless:${call.name}`,
    resource: resource === '*' ? '*' : wirelessArn({ accountId, region }, resource),
  });
  return operation({
    route: { service: 'iotwireless', method, path },
    input: call.input,
    fromHttp: membersOf,
    needs: (input) => [needOf(call.on(input))],
    run: ({ input }) => {
      const output = call.run(input);
      const text = status === 204 ? '' : JSON.stringify(output ?? {});
      return new HttpAnswer(status, { 'content-type': 'application/json' }, text);
    },
  });
}

/** @param resource  `WirelessDevice/<id>` */
export const wirelessArn = (
  { accountId, region }: Pick<WirelessDeps, 'accountId' | 'region'>,
  resource: string,
): string => `arn:aws:iotwireless:${region}:${accountId}:${resource}`;

/** Members beside those of the shape are refused by name: what the laptop cannot do, it does not pass over. */
export const members = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `the laptop does not have ${issue.keys.join(', ')}`
        : undefined,
  });

/** Hexadecimal digits, kept in small letters. */
export const hexText = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9A-Fa-f]{${bytes * 2}}$`), `${bytes * 2} hexadecimal digits are wanted`)
    .transform((text) => text.toLowerCase());

/** Tags and tokens mean nothing here. */
export const common = {
  Tags: z.array(z.object({ Key: z.string(), Value: z.string() })).optional(),
  ClientRequestToken: z.string().optional(),
};

export const text = z.string().max(2048);

/** A time as AWS writes it here. */
export const isoTime = (ms: number): string => new Date(ms).toISOString();

/** @throws {AwsError} `ResourceNotFoundException` where there is none */
export function found<T>(value: T | undefined, type: string, id: string): T {
  if (value !== undefined) return value;
  throw new AwsError('ResourceNotFoundException', `There is no ${type} ${id}.`, 404, {
    members: { ResourceId: id, ResourceType: type },
  });
}

/** @throws {AwsError} `ConflictException` */
export function conflict(type: string, id: string, why: string): never {
  throw new AwsError('ConflictException', why, 409, {
    members: { ResourceId: id, ResourceType: type },
  });
}

/** Members of each call that lists. */
export const pageMembers = {
  MaxResults: z
    .string()
    .regex(/^\d+$/, 'not a whole number')
    .transform(Number)
    .pipe(z.int().min(0).max(250))
    .optional(),
  NextToken: z.string().optional(),
};
