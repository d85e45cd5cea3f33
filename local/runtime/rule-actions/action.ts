import type * as z from 'zod';
import type { SqlEnvironment, SqlMessage, SqlValue } from '../../core/sql/index.ts';
import type { Need, Operation } from '../../operations/operation.ts';

/** What a rule made of a message, and the world its actions' templates are evaluated in. */
export interface Turn {
  readonly message: SqlMessage;
  readonly env: SqlEnvironment;
  /** What SET bound. */
  readonly variables: Readonly<Record<string, SqlValue>>;
  /** The SELECT's result as bytes; the payload as it came where `binary`. */
  readonly payload: Uint8Array;
  readonly value: SqlValue;
  readonly binary: boolean;
}

/** An action's parameters in hand, ready to be tried more than once. */
export interface Delivery {
  /** What the error action's record calls `failedResource`. */
  readonly resource: string;
  /** @throws an `AwsError` or {@link ActionError} when the sink does not take it */
  readonly attempt: () => unknown;
}

/** One action of a rule, compiled. */
export interface RuleAction {
  /** As the error action's record names it: `KinesisAction`. */
  readonly name: string;
  /** The resource as the template writes it, for failures before its parameters are known. */
  readonly resource: string;
  readonly prepare: (turn: Turn) => Delivery | Promise<Delivery>;
}

/** A parameter of an action: text with `${…}`, evaluated against the original message. */
export type Parameter = (turn: Turn) => string | Promise<string>;

/** What an action is built with. */
export interface ActionTools {
  readonly rule: { readonly name: string; readonly arn: string };
  readonly accountId: string;
  readonly region: string;
  readonly sinks: RuleSinks;
  /** @throws {SqlSyntaxError | UnsupportedSqlError} for a template that cannot run */
  readonly parameter: (text: string) => Parameter;
  /** @throws {AwsError} naming the grant that the role lacks */
  readonly demand: (roleArn: string, needs: readonly Need[]) => void;
  /**
   * A call of an emulated service, held to a role as one that comes through the endpoint.
   *
   * @param target  as in `x-amz-target`
   * @throws {Error} when the laptop does not have it
   */
  readonly service: (target: string) => ServiceCall;
}

export type ServiceCall = (roleArn: string, input: unknown) => Promise<unknown>;

/** How one kind of action is declared and built. */
export interface ActionKind<Declaration> {
  readonly declaration: z.ZodType<Declaration>;
  /** @throws {Error} saying what the laptop lacks for it */
  readonly create: (declaration: Declaration, tools: ActionTools) => RuleAction;
}

/** Where actions lead. What is left out, the laptop does not have: rules that need it are refused. */
export interface RuleSinks {
  /** Emulated services: Kinesis, SQS and DynamoDB actions are calls of theirs. */
  readonly operations: readonly Operation[];
  readonly lambda?: LambdaSink;
  /** Publishes to subscribers and rules. */
  readonly deliver?: (message: RepublishedMessage) => Promise<void>;
  readonly objects?: ObjectSink;
  readonly deliveryStreams?: DeliverySink;
  readonly topics?: TopicSink;
  /** Whether a resource's own policy lets IoT use it for a rule. */
  readonly authorizeIot?: (need: Need, ruleArn: string) => { readonly allowed: boolean };
  readonly logEvents?: (logGroup: string, events: readonly LogEvent[]) => void | Promise<void>;
  readonly post?: (url: string, request: PostRequest) => Promise<{ readonly status: number }>;
}

export interface LambdaSink {
  /** Takes an event to be run later. */
  readonly invokeAsync: (functionArn: string, event: unknown) => unknown;
  /** Runs the function and waits, for `aws_lambda`. */
  readonly invoke?: (
    functionArn: string,
    event: unknown,
  ) => Promise<{ readonly ok: boolean; readonly payload: unknown }>;
  /** Properties of the template's `AWS::Lambda::Permission`s. */
  readonly permissions: readonly unknown[];
}

export interface RepublishedMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly properties?: {
    readonly payloadFormatIndicator?: boolean;
    readonly contentType?: string;
    readonly responseTopic?: string;
    readonly correlationData?: Buffer;
    readonly userProperties?: readonly (readonly [name: string, value: string])[];
  };
}

export interface ObjectSink {
  readonly put: (bucket: string, key: string, content: Uint8Array) => Promise<void>;
  /** For `decode(…, 'proto', …)`, which reads descriptors. */
  readonly get?: (bucket: string, key: string) => Promise<Uint8Array>;
  /** The key that a bucket encrypts with, where it is one of the account's own. */
  readonly keyArnOf?: (bucket: string) => string | undefined;
}

export interface DeliverySink {
  readonly put: (deliveryStream: string, records: readonly Uint8Array[]) => Promise<void>;
}

export interface TopicSink {
  /** What publishing asks of the role. @throws {AwsError} where there is no such topic */
  readonly needs: (topicArn: string) => readonly Need[];
  readonly publish: (topicArn: string, message: TopicMessage) => unknown;
}

export interface TopicMessage {
  readonly message: string;
  /** Whether `message` is an object with a text for each protocol. */
  readonly perProtocol: boolean;
}

export interface LogEvent {
  readonly timestampMs: number;
  readonly message: string;
}

export interface PostRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** An action that cannot be done; `retryable` where trying again may help. */
export class ActionError extends Error {
  override readonly name = 'ActionError';
  readonly retryable: boolean;

  constructor(message: string, { retryable = false }: { readonly retryable?: boolean } = {}) {
    super(message);
    this.retryable = retryable;
  }
}

/** The result as UTF-8 text. @throws {ActionError} for bytes that are none */
export function textOf({ payload }: Turn): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
  } catch {
    throw new ActionError("The result is not UTF-8 text; encode it: encode(*, 'base64').");
  }
}
