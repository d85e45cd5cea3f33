import {
  AttachPolicyCommand,
  DescribeCertificateCommand,
  DescribeThingCommand,
  IoTClient,
  ListPrincipalThingsCommand,
  ListThingPrincipalsCommand,
  ResourceNotFoundException,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import {
  DeleteConnectionCommand,
  IoTDataPlaneClient,
  PublishCommand,
  ResourceNotFoundException as SessionNotFound,
} from '@aws-sdk/client-iot-data-plane';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { containment } from '../../../../shared/adapters/security/containment.ts';
import { patientTools, plentyOfTime } from '../../../support/retry-tools.ts';

const iot = mockClient(IoTClient);
const data = mockClient(IoTDataPlaneClient);
beforeEach(() => {
  iot.reset();
  data.reset();
});

const PLACE = { iot: 'arn:aws:iot:eu-central-1:000000000000', quarantinePolicy: 'quarantine' };
const ONE = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);
const arnOf = (id: string): string => `${PLACE.iot}:cert/${id}`;
const gone = () => new ResourceNotFoundException({ message: 'gone', $metadata: {} });

const acts = () => containment(new IoTClient({}), new IoTDataPlaneClient({}), patientTools());

describe('what the registry says of a thing', () => {
  it('is its certificates, on however many pages, who else has them, and what spares it', async () => {
    iot.on(DescribeThingCommand).resolves({ attributes: { fleet: 'acme', role: 'gateway' } });
    iot
      .on(ListThingPrincipalsCommand)
      .resolvesOnce({ principals: [arnOf(ONE), 'eu-central-1:cognito'], nextToken: 'more' })
      .resolves({ principals: [arnOf(OTHER)] });
    iot
      .on(ListPrincipalThingsCommand, { principal: arnOf(ONE) })
      .resolves({ things: ['probe-1'] })
      .on(ListPrincipalThingsCommand, { principal: arnOf(OTHER) })
      .resolves({ things: ['probe-1', 'probe-2'] });
    expect(await acts().facts('probe-1', PLACE, plentyOfTime)).toEqual({
      fleet: 'acme',
      criticality: 'normal',
      isGateway: true,
      certificates: [ONE, OTHER],
      sharedWith: ['probe-2'],
    });
  });

  it('is nothing when there is no such thing', async () => {
    iot.on(DescribeThingCommand).rejects(gone());
    expect(await acts().facts('probe-1', PLACE, plentyOfTime)).toBeUndefined();
  });
});

describe('a certificate', () => {
  it.each([
    ['deactivate', 'ACTIVE', 'INACTIVE'],
    ['activate', 'INACTIVE', 'ACTIVE'],
    ['deactivate', 'REVOKED', undefined],
    ['activate', 'REVOKED', undefined],
    ['deactivate', 'PENDING_ACTIVATION', undefined],
    ['activate', 'ACTIVE', undefined],
  ] as const)('to %s that is %s becomes %s', async (act, status, newStatus) => {
    iot.on(DescribeCertificateCommand).resolves({ certificateDescription: { status } });
    iot.on(UpdateCertificateCommand).resolves({});
    const did = await acts().perform({ act, certificateId: ONE }, PLACE, plentyOfTime);
    expect(did).toBe(newStatus !== undefined);
    const updates = iot.commandCalls(UpdateCertificateCommand);
    expect(updates.map(({ args: [{ input }] }) => input.newStatus)).toEqual(
      newStatus === undefined ? [] : [newStatus],
    );
  });

  it('that is gone is neither active nor inactive, and needs no containment', async () => {
    iot.rejects(gone());
    expect(await acts().isActive(ONE, plentyOfTime)).toBeUndefined();
    for (const act of ['attach-quarantine', 'detach-quarantine', 'deactivate'] as const) {
      expect(await acts().perform({ act, certificateId: ONE }, PLACE, plentyOfTime)).toBe(false);
    }
  });

  it('is quarantined beside its own policy', async () => {
    iot.on(AttachPolicyCommand).resolves({});
    await acts().perform({ act: 'attach-quarantine', certificateId: ONE }, PLACE, plentyOfTime);
    expect(iot.commandCalls(AttachPolicyCommand)[0]?.args[0].input).toEqual({
      policyName: 'quarantine',
      target: arnOf(ONE),
    });
  });
});

describe('a device', () => {
  const disconnect = { act: 'disconnect', clientId: 'probe-1' } as const;

  it('that is not connected has no session to end', async () => {
    const message = 'no client is connected';
    data.on(DeleteConnectionCommand).rejects(new SessionNotFound({ message, $metadata: {} }));
    expect(await acts().perform(disconnect, PLACE, plentyOfTime)).toBe(false);
  });

  it('is told by a message that is kept for it', async () => {
    data.on(PublishCommand).resolves({});
    const notice = { topic: 'alert/acme/probe-1', payload: '{"v":1}', retain: true };
    await acts().perform({ act: 'tell-device', notice }, PLACE, plentyOfTime);
    const [call] = data.commandCalls(PublishCommand);
    const { topic, retain, payload } = call?.args[0].input ?? {};
    expect({ topic, retain, payload: String(payload) }).toEqual(notice);
  });

  it('whose session cannot be ended is a failure that is tried again', async () => {
    data.on(DeleteConnectionCommand).rejects(new Error('no'));
    await expect(acts().perform(disconnect, PLACE, plentyOfTime)).rejects.toThrow('no');
  });
});
