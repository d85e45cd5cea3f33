import { randomUUID } from 'node:crypto';
import {
  DeleteCertificateCommand,
  DeleteThingCommand,
  DescribeEndpointCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  IoTClient,
  ListAttachedPoliciesCommand,
  ListThingPrincipalsCommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { openDeviceDesk } from '../../commands/device-desk.ts';
import { bootLaptop } from '../support/laptop.ts';

/** Where the suite runs: the laptop, or with `TARGET=aws` a stage that is deployed in an account. */
export interface Target {
  readonly stage: string;
  /** For the constructor of any AWS SDK client. */
  readonly client: object;
  readonly host: string;
  readonly mqttPort: number;
  readonly httpsPort: number;
  /** What the gateway is trusted by; absent where the system's own roots do. */
  readonly ca?: string;
  /** Makes a device of fleet `conformance` under a name of its own, through the control plane. */
  readonly newDevice: () => Promise<Device>;
  readonly close: () => Promise<void>;
}

export interface Device {
  readonly thing: string;
  readonly fleet: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

const FLEET = 'conformance';

export const openTarget = (): Promise<Target> =>
  process.env['TARGET'] === 'aws' ? onAws() : onLaptop();

async function onLaptop(): Promise<Target> {
  const laptop = await bootLaptop();
  const { client, mqttPort, httpsPort, caPem } = laptop;
  const devices = deviceMaker(new IoTClient(client), 'dev');
  return {
    ...{ stage: 'dev', client, host: 'localhost', mqttPort, httpsPort, ca: caPem },
    newDevice: devices.make,
    close: laptop.close,
  };
}

/** The stage is `STAGE` (dev), region and credentials are those of the AWS configuration. */
async function onAws(): Promise<Target> {
  const stage = process.env['STAGE'] ?? 'dev';
  const iot = new IoTClient({});
  const { endpointAddress = '' } = await iot.send(
    new DescribeEndpointCommand({ endpointType: 'iot:Data-ATS' }),
  );
  const devices = deviceMaker(iot, stage);
  return {
    ...{ stage, client: {}, host: endpointAddress, mqttPort: 8883, httpsPort: 8443 },
    newDevice: devices.make,
    close: devices.removeAll,
  };
}

function deviceMaker(iot: IoTClient, stage: string) {
  const desk = openDeviceDesk(iot, stage);
  const made: string[] = [];
  return {
    make: async (): Promise<Device> => {
      const thing = `conformance-${randomUUID()}`;
      made.push(thing);
      return { thing, ...(await desk.add(thing, FLEET)) };
    },
    removeAll: async () => {
      for (const thing of made) await removeDevice(iot, thing);
    },
  };
}

async function removeDevice(iot: IoTClient, thingName: string): Promise<void> {
  const { principals = [] } = await iot.send(new ListThingPrincipalsCommand({ thingName }));
  for (const principal of principals) {
    const certificateId = principal.slice(principal.lastIndexOf('/') + 1);
    const { policies = [] } = await iot.send(
      new ListAttachedPoliciesCommand({ target: principal }),
    );
    for (const { policyName } of policies) {
      await iot.send(new DetachPolicyCommand({ policyName, target: principal }));
    }
    await iot.send(new DetachThingPrincipalCommand({ thingName, principal }));
    await iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'INACTIVE' }));
    await iot.send(new DeleteCertificateCommand({ certificateId }));
  }
  await iot.send(new DeleteThingCommand({ thingName }));
}
