import { headerValue, type Parameter, type SignedRequest } from './canonical-request.ts';
import { refuse } from './problem.ts';
import { ALGORITHM, type Scope } from './signature.ts';

/** What a request says of its own signature. */
export interface Claim {
  readonly place: 'header' | 'query';
  readonly accessKeyId: string;
  readonly scope: Scope;
  /** Lower case, in the order given. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ` */
  readonly timestamp: string;
  readonly signedAtMs: number;
  /** Only in a query. */
  readonly expiresSeconds?: number;
  readonly sessionToken?: string;
}

const LONGEST_EXPIRY_SECONDS = 604_800;
const CREDENTIAL = /^([^/\s]{1,128})\/(\d{8})\/([^/\s]+)\/([^/\s]+)\/aws4_request$/;
const TIMESTAMP = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** Whether a request carries SigV4 at all, well-formed or not. */
export const isSigned = (request: SignedRequest, query: readonly Parameter[]): boolean =>
  inHeader(request) || inQuery(query);

const inHeader = (request: SignedRequest): boolean =>
  headerValue(request, 'authorization')?.startsWith('AWS4-') ?? false;

const inQuery = (query: readonly Parameter[]): boolean =>
  query.some(([name]) => name === 'X-Amz-Signature' || name === 'X-Amz-Algorithm');

/** @throws {SignatureError} `NO_SIGNATURE`, `MALFORMED` or `ALGORITHM` */
export function readClaim(request: SignedRequest, query: readonly Parameter[]): Claim {
  if (inHeader(request) && inQuery(query)) {
    throw refuse('MALFORMED', 'is signed in a header and in the query; sign it in one of them');
  }
  if (inHeader(request)) return claimInHeader(request);
  if (inQuery(query)) return claimInQuery(query);
  throw refuse('NO_SIGNATURE', 'carries no SigV4 signature, neither in a header nor in the query');
}

function claimInHeader(request: SignedRequest): Claim {
  const authorization = headerValue(request, 'authorization') ?? '';
  const [algorithm = '', ...rest] = authorization.split(' ');
  checkAlgorithm(algorithm);
  const fields = new Map(
    rest
      .join(' ')
      .split(',')
      .map((field) => {
        const [name = '', ...value] = field.trim().split('=');
        return [name, value.join('=')] as const;
      }),
  );
  const sessionToken = headerValue(request, 'x-amz-security-token');
  return {
    place: 'header',
    ...common({
      credential: required(fields.get('Credential'), 'Credential'),
      signedHeaders: required(fields.get('SignedHeaders'), 'SignedHeaders'),
      signature: required(fields.get('Signature'), 'Signature'),
      timestamp: required(headerValue(request, 'x-amz-date'), 'the header x-amz-date'),
    }),
    ...(sessionToken !== undefined && { sessionToken }),
  };
}

function claimInQuery(query: readonly Parameter[]): Claim {
  const value = (name: string): string | undefined => {
    const [first, second] = query.filter(([each]) => each === name);
    if (second !== undefined) throw refuse('MALFORMED', `has ${name} more than once`);
    return first?.[1];
  };
  checkAlgorithm(required(value('X-Amz-Algorithm'), 'X-Amz-Algorithm'));
  const expires = value('X-Amz-Expires');
  const sessionToken = value('X-Amz-Security-Token');
  return {
    place: 'query',
    ...common({
      credential: required(value('X-Amz-Credential'), 'X-Amz-Credential'),
      signedHeaders: required(value('X-Amz-SignedHeaders'), 'X-Amz-SignedHeaders'),
      signature: required(value('X-Amz-Signature'), 'X-Amz-Signature'),
      timestamp: required(value('X-Amz-Date'), 'X-Amz-Date'),
    }),
    ...(expires !== undefined && { expiresSeconds: expiryOf(expires) }),
    ...(sessionToken !== undefined && { sessionToken }),
  };
}

function checkAlgorithm(algorithm: string): void {
  if (algorithm === ALGORITHM) return;
  throw refuse('ALGORITHM', `is signed with ${JSON.stringify(algorithm)}; use ${ALGORITHM}`);
}

function required(value: string | undefined, name: string): string {
  if (value === undefined || value === '') throw refuse('MALFORMED', `lacks ${name}`);
  return value;
}

function expiryOf(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= 1 && seconds <= LONGEST_EXPIRY_SECONDS) return seconds;
  throw refuse('MALFORMED', `has an X-Amz-Expires that is not 1 to ${LONGEST_EXPIRY_SECONDS}`);
}

interface Texts {
  readonly credential: string;
  readonly signedHeaders: string;
  readonly signature: string;
  readonly timestamp: string;
}

function common({ credential, signedHeaders, signature, timestamp }: Texts) {
  const [, accessKeyId = '', day = '', region = '', service = ''] =
    CREDENTIAL.exec(credential) ?? [];
  if (accessKeyId === '') {
    throw refuse(
      'MALFORMED',
      'has a credential that is not KEY/YYYYMMDD/REGION/SERVICE/aws4_request',
    );
  }
  if (!/^[0-9a-f]{64}$/.test(signature)) {
    throw refuse('MALFORMED', 'has a signature that is not 64 hexadecimal digits in lower case');
  }
  const names = signedHeaders.split(';');
  if (
    !names.every((name, index) => /^[!-:<-@[-~]+$/.test(name) && isAfter(names[index - 1], name))
  ) {
    throw refuse('MALFORMED', 'has signed headers that are not sorted names in lower case');
  }
  const signedAtMs = timeOf(timestamp);
  return {
    accessKeyId,
    scope: { day, region, service },
    signedHeaders: names,
    signature,
    timestamp,
    signedAtMs,
  };
}

const isAfter = (before: string | undefined, name: string): boolean =>
  before === undefined || before < name;

function timeOf(timestamp: string): number {
  const [, year, month, day, hour, minute, second] = TIMESTAMP.exec(timestamp) ?? [];
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(ms)) throw refuse('MALFORMED', 'has a date that is not YYYYMMDDTHHMMSSZ');
  return ms;
}
