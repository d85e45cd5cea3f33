import type { AuthorizerChoice } from './model.ts';
import { AuthorizerRefusal } from './refusal.ts';

/** All that a client shows of itself to a custom authorizer, as far as it has sent it. */
export interface Presented {
  readonly transport: 'mqtt' | 'wss' | 'https';
  /** By SNI. */
  readonly serverName?: string;
  readonly http?: {
    /** Names as the client wrote them. */
    readonly headers: Readonly<Record<string, string>>;
    /** Raw, with its question mark; empty where there is none. */
    readonly queryString: string;
  };
  readonly mqtt?: Login;
  /** A client certificate that has been accepted: CUSTOM_AUTH_X509. */
  /** Told apart already, by whoever tests an authorizer; otherwise it is looked for in the other members. */
  readonly separate?: { readonly token?: string; readonly signature?: string };
  readonly x509?: { readonly certificatePem: string; readonly certificateId: string };
}

/** What an MQTT CONNECT carries of credentials. */
export interface Login {
  readonly clientId?: string;
  readonly username?: string;
  readonly password?: Uint8Array;
}

const NAME = 'x-amz-customauthorizer-name';
const SIGNATURE = 'x-amz-customauthorizer-signature';

/**
 * One of the client's parameters: of a header, the query string, or the query that ends the MQTT user name.
 *
 * @throws {AuthorizerRefusal} `AMBIGUOUS` where it is given twice and differs
 * @see IoT Core Developer Guide, "Connecting to AWS IoT Core by using custom authentication"
 */
function parameter({ http, mqtt }: Presented, name: string): string | undefined {
  const wanted = name.toLowerCase();
  const values = new Set([
    ...Object.entries(http?.headers ?? {}).flatMap(([each, value]) =>
      each.toLowerCase() === wanted ? [value] : [],
    ),
    ...inQuery(http?.queryString, name),
    ...inQuery(mqtt?.username, name),
  ]);
  const [value, other] = values;
  if (other === undefined) return value;
  throw new AuthorizerRefusal(
    'AMBIGUOUS',
    `the client gives ${name} more than once, and differently`,
  );
}

function inQuery(text: string | undefined, name: string): readonly string[] {
  const at = text?.indexOf('?') ?? -1;
  if (text === undefined || at < 0) return [];
  return new URLSearchParams(text.slice(at + 1)).getAll(name);
}

export const namedAuthorizer = (presented: Presented): string | undefined =>
  parameter(presented, NAME);

export const presentedSignature = (presented: Presented): string | undefined =>
  presented.separate?.signature ?? parameter(presented, SIGNATURE);

export const presentedToken = (
  presented: Presented,
  tokenKeyName: string | undefined,
): string | undefined =>
  presented.separate?.token ??
  (tokenKeyName === undefined ? undefined : parameter(presented, tokenKeyName));

/**
 * The authorizer for a client: the one it names, where the endpoint lets it, or the endpoint's default.
 *
 * @throws {AuthorizerRefusal} `NO_AUTHORIZER`, `OVERRIDE_NOT_ALLOWED`
 */
export function chooseAuthorizer(
  presented: Presented,
  { defaultName, allowOverride }: AuthorizerChoice,
): string {
  const named = namedAuthorizer(presented);
  if (named !== undefined && named !== defaultName && !allowOverride) {
    throw new AuthorizerRefusal(
      'OVERRIDE_NOT_ALLOWED',
      `the client names the authorizer ${named}, and its domain allows none but ${defaultName ?? 'its own'}`,
    );
  }
  const name = named ?? defaultName;
  if (name !== undefined) return name;
  throw new AuthorizerRefusal(
    'NO_AUTHORIZER',
    `the client has no credentials and names no authorizer; send ${NAME}, or set a default authorizer`,
  );
}
