import { describe, expect, it } from '@jest/globals';
import { provision } from '../../functions/provision/provision.ts';
import { createRequest } from '../../local/pki/index.ts';
import { issueClient, type NameParts } from '../../local/pki/issue.ts';
import { enrolmentTable } from '../../shared/adapters/access/enrolment-table.ts';
import type { Refusal } from '../../shared/adapters/security/denials.ts';
import { DAY_MS, eachAccessWorld, idOf, NOW_MS, TABLE } from '../support/access-world.ts';

const access = eachAccessWorld();

const SERIAL = 'SN-0001';
const ALLOWED = {
  allowProvisioning: true,
  parameterOverrides: { ThingName: 'probe-1', Fleet: 'acme' },
};
const REFUSED = { allowProvisioning: false };

async function setup(denial?: Refusal) {
  const enrolments = enrolmentTable(access.world.db, TABLE);
  await enrolments.expect(SERIAL, { thing: 'probe-1', fleet: 'acme' });
  const hook = provision({
    enrolments,
    denialOf: async () => denial,
    templateName: 'tributary-dev-claim',
    log: access.world.log,
    now: access.world.now,
  });
  return { enrolments, hook };
}

/** As AWS IoT asks, after it signed the device's own request. */
async function claim(change: object = {}, names = { thing: 'probe-1', fleet: 'acme' }) {
  const { requestPem } = await createRequest(names);
  const certificatePem = await access.authorities.pki.signAsAws(requestPem);
  return {
    claimCertificateId: 'c'.repeat(64),
    certificateId: idOf(certificatePem),
    certificatePem,
    templateArn: 'arn:aws:iot:eu-central-1:000000000000:provisioningtemplate/tributary-dev-claim',
    clientId: `claim-${SERIAL}`,
    parameters: { SerialNumber: SERIAL },
    ...change,
  };
}

async function claimOf(subject: NameParts) {
  const validity = { notBeforeMs: NOW_MS, notAfterMs: NOW_MS + DAY_MS };
  const { certificatePem } = await issueClient(access.authorities.ours, subject, validity);
  return claim({ certificatePem, certificateId: idOf(certificatePem) });
}

const codes = () =>
  access.world.entries().flatMap(({ code }) => (code === undefined ? [] : [code]));

describe('a device that is expected', () => {
  it('gets the name and the fleet that it was given, not those it would like', async () => {
    const { hook } = await setup();
    const parameters = { SerialNumber: SERIAL, ThingName: 'probe-2', Fleet: 'globex' };
    expect(await hook(await claim({ parameters }))).toEqual(ALLOWED);
  });

  it('may ask twice with one certificate, and not with another', async () => {
    const { hook } = await setup();
    const first = await claim();
    expect(await hook(first)).toEqual(ALLOWED);
    expect(await hook(first)).toEqual(ALLOWED);
    expect(await hook(await claim())).toEqual(REFUSED);
    expect(codes()).toEqual(['ALREADY_PROVISIONED']);
  });

  it('is let in once, of two that race for its serial number', async () => {
    const { hook } = await setup();
    const answers = await Promise.all([hook(await claim()), hook(await claim())]);
    expect(answers.filter(({ allowProvisioning }) => allowProvisioning)).toHaveLength(1);
  });

  it('can be expected anew', async () => {
    const { hook, enrolments } = await setup();
    await hook(await claim());
    await enrolments.expect(SERIAL, { thing: 'probe-1', fleet: 'acme' });
    expect(await hook(await claim())).toEqual(ALLOWED);
  });

  it('may have a certificate whose key AWS IoT made, which names nobody', async () => {
    const { hook } = await setup();
    expect(await hook(await claimOf([['CN', 'AWS IoT Certificate']]))).toEqual(ALLOWED);
  });
});

describe('nobody is let in', () => {
  it.each([
    {
      what: 'whose serial number is not expected',
      change: { clientId: 'claim-SN-9', parameters: { SerialNumber: 'SN-9' } },
      code: 'UNKNOWN_DEVICE',
    },
    {
      what: 'who gives no serial number',
      change: { parameters: {} },
      code: 'MALFORMED_EVENT',
    },
    {
      what: 'whose serial number is a key of the table',
      change: { parameters: { SerialNumber: `${SERIAL}#x` } },
      code: 'MALFORMED_EVENT',
    },
    {
      what: 'who connects as another',
      change: { clientId: 'claim-SN-0002' },
      code: 'FOREIGN_CLIENT_ID',
    },
    {
      what: 'by another template',
      change: {
        templateArn: 'arn:aws:iot:eu-central-1:000000000000:provisioningtemplate/other',
      },
      code: 'MALFORMED_EVENT',
    },
    {
      what: 'with what is no certificate',
      change: { certificatePem: 'certificate' },
      code: 'WRONG_SUBJECT',
    },
  ])('$what', async ({ change, code }) => {
    const { hook } = await setup();
    expect(await hook(await claim(change))).toEqual(REFUSED);
    expect(codes()).toEqual([code]);
  });

  it.each([
    { what: 'another thing', names: { thing: 'probe-2', fleet: 'acme' } },
    { what: 'another fleet', names: { thing: 'probe-1', fleet: 'globex' } },
  ])('whose request for a certificate names $what', async ({ names }) => {
    const { hook } = await setup();
    expect(await hook(await claim({}, names))).toEqual(REFUSED);
    expect(codes()).toEqual(['WRONG_SUBJECT']);
  });

  it('whose certificate names his own fleet first and another second', async () => {
    const { hook } = await setup();
    const subject = [
      ['CN', 'probe-1'],
      ['O', 'acme'],
      ['O', 'globex'],
    ] as const;
    expect(await hook(await claimOf(subject))).toEqual(REFUSED);
  });

  it('that an incident contains, and whose serial number stays free', async () => {
    const { hook, enrolments } = await setup({
      rung: 'quarantine',
      incidentId: '0123456789abcdef',
    });
    expect(await hook(await claim())).toEqual(REFUSED);
    expect(codes()).toEqual(['CONTAINED']);
    expect((await enrolments.find(SERIAL))?.certificateId).toBeUndefined();
  });

  it('while the table cannot be asked', async () => {
    const { hook } = await setup();
    access.world.db.destroy();
    const failing = provision({
      enrolments: {
        find: async () => {
          throw new Error('away');
        },
        claim: async () => true,
      },
      denialOf: async () => undefined,
      templateName: 'tributary-dev-claim',
      log: access.world.log,
      now: access.world.now,
    });
    expect(await failing(await claim())).toEqual(REFUSED);
    expect(await hook(undefined)).toEqual(REFUSED);
  });
});
