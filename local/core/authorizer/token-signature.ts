import { verify } from 'node:crypto';
import type { Authorizer } from './model.ts';
import { type Presented, presentedSignature, presentedToken } from './presented.ts';
import { AuthorizerRefusal } from './refusal.ts';

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * The token of a client, once its signature holds: RSA PKCS#1 v1.5 over SHA-256, in base64, by any of the
 * authorizer's keys. Where signing is disabled there may be none, and none is checked.
 *
 * @throws {AuthorizerRefusal} `NO_TOKEN`, `NO_TOKEN_SIGNATURE`, `TOKEN_SIGNATURE`
 * @see IoT Core Developer Guide, "Signing the token"
 */
export function checkedToken(
  presented: Presented,
  { name, tokenKeyName, signingKeys, signingDisabled }: Authorizer,
): string | undefined {
  const token = presentedToken(presented, tokenKeyName);
  if (signingDisabled) return token;
  if (token === undefined) {
    const text = `authorizer ${name} wants a token under ${tokenKeyName}, and the client sent none`;
    throw new AuthorizerRefusal('NO_TOKEN', text);
  }
  const signature = presentedSignature(presented);
  if (signature === undefined) {
    const text = `authorizer ${name} wants tokens to be signed; send x-amz-customauthorizer-signature`;
    throw new AuthorizerRefusal('NO_TOKEN_SIGNATURE', text);
  }
  if (fits(token, signature, Object.values(signingKeys))) return token;
  throw new AuthorizerRefusal('TOKEN_SIGNATURE', complaint(name, signature));
}

const fits = (token: string, signature: string, keys: readonly string[]): boolean =>
  BASE64.test(signature) &&
  keys.some((key) =>
    verify('RSA-SHA256', Buffer.from(token), key, Buffer.from(signature, 'base64')),
  );

function complaint(name: string, signature: string): string {
  const what = `the token's signature fits none of the keys of authorizer ${name}`;
  if (signature.includes(' ')) return `${what}: it has a blank where + was, so URL-encode it`;
  return BASE64.test(signature) ? what : `${what}: it is not base64`;
}
