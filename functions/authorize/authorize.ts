import type { Refusal } from '../../shared/adapters/security/denials.ts';
import { type Answer, acceptance, REFUSAL } from '../../shared/core/access/answer.ts';
import {
  certificateDocuments,
  deviceDocuments,
  type Place,
} from '../../shared/core/access/device-documents.ts';
import { isSecret } from '../../shared/core/access/device-secret.ts';
import type { Identity } from '../../shared/core/access/identity.ts';
import type { Issuer } from '../../shared/core/access/issuer.ts';
import { RefusedError, refuse } from '../../shared/core/access/refused.ts';
import {
  type AccessRequest,
  type Credential,
  certificateOf,
  credentialOf,
  readRequest,
  type ShownCertificate,
} from '../../shared/core/access/request.ts';
import { checkSubject } from '../../shared/core/access/subject.ts';
import { readToken } from '../../shared/core/access/token.ts';
import { issuerOf, verifyToken } from '../../shared/core/access/verify-token.ts';
import { NAME } from '../../shared/core/names.ts';
import type { Log } from '../../shared/lambda/log.ts';

type Key = Parameters<typeof verifyToken>[2];

/** All this function needs from outside; a test passes plain objects. */
export interface AuthorizeDeps {
  /** `signed`: only a token whose signature AWS IoT has checked before. */
  readonly accepts: ReadonlySet<'signed' | 'jwt' | 'password'>;
  readonly issuers: readonly Issuer[];
  readonly keys: {
    find(issuer: Issuer, keyId: string, algorithm: Issuer['algorithms'][number]): Promise<Key>;
  };
  /** Who a device secret belongs to; refuses what belongs to nobody. */
  readonly whoseSecret: (text: string) => Promise<Identity>;
  /** Whether an incident holds the thing. */
  readonly denialOf: (thing: string) => Promise<Refusal | undefined>;
  readonly stage: string;
  readonly domains: readonly string[];
  readonly refreshSeconds: number;
  readonly log: Log;
  readonly now: () => number;
}

/** The part of Lambda's context that says where this runs. */
export interface Invocation {
  readonly invokedFunctionArn: string;
}

/**
 * Request of a custom authorizer → who it is and what that device may do. Whatever goes wrong, the answer is no; the
 * reason goes to the log, by code and field, without anything that came with the request except a client id.
 */
export const authorize =
  (deps: AuthorizeDeps) =>
  async (event: unknown, invocation: Invocation): Promise<Answer> => {
    try {
      const request = readRequest(event);
      return await decide(request, invocation, deps).catch((error: unknown) =>
        no(deps.log, error, request),
      );
    } catch (error) {
      return no(deps.log, error, undefined);
    }
  };

async function decide(
  request: AccessRequest,
  invocation: Invocation,
  deps: AuthorizeDeps,
): Promise<Answer> {
  const credential = credentialOf(request);
  const identity = await identify(credential, request, deps);
  const clientId = request.protocolData.mqtt?.clientId;
  if (clientId !== undefined && clientId !== identity.thing) {
    refuse('FOREIGN_CLIENT_ID', 'mqtt.clientId', 'is not the thing that the credential names');
  }
  const certificate = certificateOf(request);
  if (certificate !== undefined) checkSubject(certificate.pem, identity);
  const quarantined = await isQuarantined(identity, deps);
  const { log, now, refreshSeconds } = deps;
  const { principalId, documents } = grantTo(identity, certificate, invocation, deps, quarantined);
  const { thing, fleet, expiresAtMs } = identity;
  const answer = acceptance(principalId, documents, { nowMs: now(), expiresAtMs, refreshSeconds });
  const { carrier } = credential;
  log('info', 'accepted', { thing, fleet, carrier, quarantined, ...connectionOf(request) });
  return answer;
}

/** @throws {RefusedError} `CONTAINED` when an incident has cut the thing off; the incident is named */
async function isQuarantined({ thing }: Identity, { denialOf }: AuthorizeDeps): Promise<boolean> {
  const denial = await denialOf(thing);
  if (denial?.rung === 'cut-off') {
    refuse('CONTAINED', 'thing', `is cut off because of incident ${denial.incidentId}`);
  }
  return denial !== undefined;
}

/** With a certificate AWS IoT wants its id for a principal, and holds the device to the certificate's own policies. */
function grantTo(
  identity: Identity,
  certificate: ShownCertificate | undefined,
  invocation: Invocation,
  deps: AuthorizeDeps,
  quarantined: boolean,
) {
  const place = placeOf(invocation, deps);
  return certificate === undefined
    ? {
        principalId: identity.principalId,
        documents: deviceDocuments(identity, place, quarantined),
      }
    : { principalId: certificate.id, documents: certificateDocuments(place, quarantined) };
}

async function identify(
  { text }: Credential,
  request: AccessRequest,
  deps: AuthorizeDeps,
): Promise<Identity> {
  const { accepts, whoseSecret } = deps;
  if (accepts.has('signed')) {
    if (request.token === undefined || request.signatureVerified !== true) {
      refuse('UNSIGNED_TOKEN', 'signatureVerified', 'wants a token that AWS IoT has verified');
    }
    return identifyByToken(text, deps);
  }
  if (isSecret(text) && accepts.has('password')) return whoseSecret(text);
  if (!isSecret(text) && accepts.has('jwt')) return identifyByToken(text, deps);
  const wanted = accepts.has('jwt') ? 'wants a token' : 'wants a secret that was issued here';
  return refuse('CREDENTIAL_NOT_ACCEPTED', 'token', wanted);
}

async function identifyByToken(text: string, { issuers, keys, now }: AuthorizeDeps) {
  const token = readToken(text);
  const { issuer, algorithm } = issuerOf(token, issuers);
  const key = await keys.find(issuer, token.keyId, algorithm);
  return verifyToken(token, { issuer, algorithm }, key, now());
}

/** `arn:<partition>:lambda:<region>:<account>:function:<name>`: the authorizer's policies are for where it runs. */
function placeOf({ invokedFunctionArn }: Invocation, { stage, domains }: AuthorizeDeps): Place {
  const [, partition = '', , region = '', accountId = ''] = invokedFunctionArn.split(':');
  return { partition, region, accountId, stage, domains };
}

function no(log: Log, error: unknown, request: AccessRequest | undefined): Answer {
  const where = request === undefined ? {} : connectionOf(request);
  if (error instanceof RefusedError) {
    log('warn', 'refused', { code: error.code, issue: error.issue, ...where });
  } else {
    log('error', 'refused because of a fault', { ...faultOf(error), ...where });
  }
  return REFUSAL;
}

/** Its name and where it was thrown: a message may quote what it was thrown for. */
function faultOf(error: unknown) {
  if (!(error instanceof Error)) return { fault: typeof error };
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return { fault: error.name, at: frames.slice(0, 5).map((line) => line.trim()) };
}

/** A client id is chosen by the device and no secret; what is no name of a thing is not repeated all the same. */
function connectionOf({ connectionMetadata, protocolData }: AccessRequest) {
  const clientId = protocolData.mqtt?.clientId;
  const connectionId = connectionMetadata?.id;
  return {
    ...(connectionId !== undefined && UUID.test(connectionId) && { connectionId }),
    ...(clientId !== undefined && NAME.test(clientId) && { clientId }),
  };
}

const UUID = /^[0-9a-fA-F-]{1,64}$/;
