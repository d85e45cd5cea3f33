import { jwtVerify } from 'jose';
import { authorize } from '../../functions/authorize/authorize.ts';
import { keyRing } from '../../shared/adapters/lorawan/key-ring.ts';
import { importKey } from '../../shared/core/access/key-set.ts';
import { createLog } from '../../shared/lambda/log.ts';
import {
  ISSUER_NAME,
  issuerAt,
  NOW_MS,
  newSigner,
  type Signer,
  tokenOf,
} from '../../test/support/tokens.ts';
import { interleave, median } from './rounds.ts';

/** CPU of one call of the authorizer, beside the library's own verification of the same token. */
export interface AuthorizerCpu {
  readonly algorithm: string;
  readonly authorizerUs: number;
  readonly libraryUs: number;
  readonly ratio: number;
  /** What is left of the aim: 1.3 times the library's and 50 µs. */
  readonly withinAim: boolean;
}

const CALLS = 200;
const AIM = { times: 1.3, plusUs: 50 } as const;
const ALGORITHMS = ['RS256', 'ES256'] as const;

/** A different token each call, so that nothing remembered helps; keys are at hand, as in a warm container. */
export async function measureAuthorizer(rounds: number): Promise<readonly AuthorizerCpu[]> {
  const figures: AuthorizerCpu[] = [];
  for (const algorithm of ALGORITHMS) figures.push(await measure(algorithm, rounds));
  return figures;
}

async function measure(algorithm: Signer['algorithm'], rounds: number): Promise<AuthorizerCpu> {
  const signer = newSigner('key-1', algorithm);
  const tokens = Array.from({ length: CALLS }, (_, at) => tokenOf(signer, { sub: `device-${at}` }));
  const ask = authorizer(signer);
  const key = await importKey(signer.jwk, algorithm);
  const options = {
    algorithms: [algorithm],
    issuer: ISSUER_NAME,
    audience: ['tributary'],
    currentDate: new Date(NOW_MS),
  };
  const taken = await interleave(
    [
      {
        name: 'authorizer',
        run: async () => {
          for (const token of tokens) await ask(token);
        },
      },
      {
        name: 'library',
        run: async () => {
          for (const token of tokens) await jwtVerify(token, key, options);
        },
      },
    ],
    { warmUps: 5, rounds },
  );
  const perCall = (name: string): number => median(taken.get(name) ?? []) / CALLS;
  const [authorizerUs, libraryUs] = [perCall('authorizer'), perCall('library')];
  return {
    algorithm,
    authorizerUs,
    libraryUs,
    ratio: authorizerUs / libraryUs,
    withinAim: authorizerUs <= AIM.times * libraryUs + AIM.plusUs,
  };
}

function authorizer(signer: Signer): (token: string) => Promise<void> {
  const keys = JSON.stringify({ keys: [signer.jwk] });
  const now = (): number => NOW_MS;
  const handler = authorize({
    accepts: new Set(['signed']),
    issuers: [issuerAt('https://issuer.example/keys')],
    keys: keyRing(async () => keys, now),
    whoseSecret: async () => Promise.reject(new Error('no secrets here')),
    denialOf: async () => undefined,
    stage: 'dev',
    domains: [],
    refreshSeconds: 300,
    // the line is made and thrown away: writing it is Lambda's affair
    log: createLog('info', () => undefined, now),
    now,
  });
  const invokedFunctionArn = 'arn:aws:lambda:eu-central-1:000000000000:function:authorize';
  return async (token) => {
    const event = {
      token,
      signatureVerified: true,
      protocols: ['tls', 'mqtt'],
      protocolData: { mqtt: { username: 'probe-1?token', clientId: 'probe-1' } },
      connectionMetadata: { id: '0f1ab6f4-30a3-4a7e-8a52-9d1d3cf0a7c1' },
    };
    const { isAuthenticated } = await handler(event, { invokedFunctionArn });
    if (!isAuthenticated) throw new Error('the authorizer refused a good token');
  };
}
