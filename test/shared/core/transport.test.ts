import { describe, expect, it } from '@jest/globals';
import { transportOf } from '../../../shared/core/transport.ts';
import { PRINCIPAL } from '../../support/uplinks.ts';

const COGNITO = 'eu-central-1:0f1ab6f4-30a3-4a7e-8a52-9d1d3cf0a7c1';

describe('the transport', () => {
  it.each([
    { clientId: 'probe-1', principal: PRINCIPAL, transport: 'mqtt', who: 'a certificate' },
    {
      clientId: 'n/a',
      principal: PRINCIPAL,
      transport: 'https',
      who: 'a certificate without client',
    },
    { clientId: 'N/A', principal: COGNITO, transport: 'https', who: 'SigV4 without client' },
    { clientId: 'web-1', principal: COGNITO, transport: 'wss', who: 'a Cognito identity' },
    { clientId: 'web-1', principal: 'AROAEXAMPLEROLEID1234:me', transport: 'wss', who: 'a role' },
    {
      clientId: 'a-1',
      principal: 'AROAEXAMPLEROLEID1234',
      transport: 'mqtt',
      who: 'an authorizer',
    },
    { clientId: 'a-1', principal: 'probe1', transport: 'mqtt', who: 'an authorizer' },
  ])('is $transport for $who', ({ clientId, principal, transport }) => {
    expect(transportOf({ clientId, principal })).toBe(transport);
  });
});
