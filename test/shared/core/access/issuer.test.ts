import { describe, expect, it } from '@jest/globals';
import { parseIssuers } from '../../../../shared/core/access/issuer.ts';

const pool = {
  issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_aBcDeFgHi',
  keysUrl:
    'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_aBcDeFgHi/.well-known/jwks.json',
  audiences: ['4f8gq2m0v7example'],
};

describe('the list of issuers', () => {
  it('takes a user pool with the least said', () => {
    expect(parseIssuers(JSON.stringify([pool]))).toEqual([
      {
        ...pool,
        audienceClaim: 'aud',
        algorithms: ['RS256'],
        use: { claim: 'token_use', value: 'access' },
        thingClaim: 'custom:thing',
        fleetClaim: 'custom:fleet',
        maxAgeSeconds: 86_400,
      },
    ]);
  });

  it('may be empty: then no token is taken', () => {
    expect(parseIssuers('[]')).toEqual([]);
  });

  it.each([
    { what: 'no JSON', text: 'https://issuer.example', problem: /is not JSON/ },
    {
      what: 'keys over plain HTTP',
      text: [{ ...pool, keysUrl: 'http://a.example/keys' }],
      problem: /\[0\.keysUrl\] wants https/,
    },
    {
      what: 'keys of a file',
      text: [{ ...pool, keysUrl: 'file:///etc/keys' }],
      problem: /keysUrl/,
    },
    {
      what: 'a password in the URL',
      text: [{ ...pool, keysUrl: 'https://a:b@c.example/keys' }],
      problem: /keysUrl/,
    },
    { what: 'no audience', text: [{ ...pool, audiences: [] }], problem: /\[0\.audiences\]/ },
    { what: 'HS256', text: [{ ...pool, algorithms: ['HS256'] }], problem: /algorithms/ },
    { what: 'none', text: [{ ...pool, algorithms: ['none'] }], problem: /algorithms/ },
    { what: 'a misspelt member', text: [{ ...pool, audience: 'x' }], problem: /audience/ },
    { what: 'an issuer twice', text: [pool, pool], problem: /names an issuer twice/ },
  ])('refuses $what', ({ text, problem }) => {
    const json = typeof text === 'string' ? text : JSON.stringify(text);
    expect(() => parseIssuers(json)).toThrow(problem);
  });
});
