import { describe, expect, it } from '@jest/globals';
import {
  evaluateTemplate,
  parseTemplateBody,
} from '../../../../local/core/provisioning/template-body.ts';

const CERTIFICATE = {
  Type: 'AWS::IoT::Certificate',
  Properties: { CertificateId: { Ref: 'AWS::IoT::Certificate::Id' } },
};
const body = (more: object = {}, Resources: object = { certificate: CERTIFICATE }) =>
  JSON.stringify({
    Parameters: { 'AWS::IoT::Certificate::Id': { Type: 'String' } },
    Resources,
    ...more,
  });
const GIVEN = { 'AWS::IoT::Certificate::Id': 'c'.repeat(64) };

it('puts parameters where the template refers to them', () => {
  const thing = {
    Type: 'AWS::IoT::Thing',
    Properties: { ThingName: { Ref: 'Name' }, AttributePayload: { fleet: { Ref: 'Fleet' } } },
  };
  const policy = { Type: 'AWS::IoT::Policy', Properties: { PolicyName: 'devices' } };
  const template = parseTemplateBody(
    JSON.stringify({
      Parameters: {
        Name: { Type: 'String' },
        Fleet: { Type: 'String', Default: 'demo' },
        'AWS::IoT::Certificate::Id': { Type: 'String' },
      },
      Resources: { certificate: CERTIFICATE, policy, thing },
      DeviceConfiguration: { interval: '60' },
    }),
  );
  expect(evaluateTemplate(template, { ...GIVEN, Name: 'probe-1' })).toEqual({
    thing: { name: 'probe-1', attributes: { fleet: 'demo' }, override: 'DO_NOTHING' },
    certificate: { id: 'c'.repeat(64), status: 'ACTIVE' },
    policies: ['devices'],
    deviceConfiguration: { interval: '60' },
  });
  expect(() => evaluateTemplate(template, GIVEN)).toThrow('parameter Name has no value');
});

describe('a template is refused', () => {
  it.each([
    { what: 'that is no JSON', text: '{', says: /JSON/ },
    { what: 'without a certificate', text: body({}, {}), says: /one certificate, this has 0/ },
    {
      what: 'with a function that is not there',
      text: body(
        {},
        {
          certificate: { ...CERTIFICATE, Properties: { CertificateId: { 'Fn::Join': ['', []] } } },
        },
      ),
      says: /CertificateId/,
    },
    { what: 'with a member that nobody knows', text: body({ Colour: 1 }), says: /Colour/ },
  ])('$what', ({ text, says }) => {
    expect(() => parseTemplateBody(text)).toThrow(says);
  });
});
