/** What is published, and the world a rule is evaluated in. */
import { parseJson, textOf } from './json.ts';
import type { SqlValue } from './values.ts';

/** Properties of an MQTT 5 PUBLISH. */
export interface Mqtt5Properties {
  readonly contentType?: string;
  readonly formatIndicator?: 'UNSPECIFIED_BYTES' | 'UTF8_DATA';
  readonly responseTopic?: string;
  readonly correlationData?: Uint8Array;
  readonly userProperties?: readonly (readonly [string, string])[];
}

/** A published message. Its payload is parsed at most once, so it must not change afterwards. */
export interface SqlMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly protocol: 'mqtt' | 'http';
  readonly clientId?: string;
  readonly principal?: string;
  readonly sourceIp?: string;
  readonly traceId?: string;
  readonly mqtt5?: Mqtt5Properties;
}

/** Calls a service for a function such as get_dynamodb; resolves to plain JSON. */
export type SqlService = (args: readonly SqlValue[]) => Promise<unknown>;

export interface SqlEnvironment {
  readonly nowMs: number;
  readonly accountId: string;
  readonly region: string;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly uuid: () => string;
  /** By function name; see {@link EXTERNAL_FUNCTIONS}. */
  readonly services?: Readonly<Record<string, SqlService>>;
}

/** `value` is Undefined for a payload that is not JSON. */
export interface ParsedPayload {
  readonly isJson: boolean;
  readonly value: SqlValue;
}

/** Rules see one message after the other; a WeakMap of all would cost more than parsing again. */
let latest: { readonly message: SqlMessage; readonly payload: ParsedPayload } | undefined;

/** The payload as JSON; parsed on first use, and once for all rules that see the message in a row. */
export function payloadOf(message: SqlMessage): ParsedPayload {
  if (latest?.message !== message) latest = { message, payload: parsePayload(message.payload) };
  return latest.payload;
}

const NO_JSON: ParsedPayload = { isJson: false, value: undefined };

function parsePayload(bytes: Uint8Array): ParsedPayload {
  const text = textOf(bytes);
  const json = text === undefined ? undefined : parseJson(text);
  return json?.ok ? { isJson: true, value: json.value } : NO_JSON;
}
