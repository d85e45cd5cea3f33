import * as z from 'zod';
import type { Log } from '../core/log.ts';
import type { Inbound } from '../core/mqtt/inbound.ts';
import type { ResolvedResource, ResolvedStack } from '../core/template/index.ts';
import {
  type Destination,
  iotWirelessOperations,
  type Profile,
} from '../operations/iotwireless/index.ts';
import type { Need, Operation } from '../operations/operation.ts';
import type { DevelopmentPki } from '../pki/index.ts';
import type { WirelessDevice } from '../runtime/lorawan/model.ts';
import { createNetworkServer, type NetworkServer } from '../runtime/lorawan/network-server.ts';
import { createLorawanStore } from '../runtime/lorawan/store.ts';
import type { UplinkEvent, UplinkExtras } from '../runtime/lorawan/uplink-event.ts';
import type { ServiceMessage } from '../servers/gateway.ts';
import { createLnsServer } from '../servers/lorawan-lns.ts';
import { createUdpServer } from '../servers/lorawan-udp.ts';
import type { Registry } from '../stores/registry.ts';
import type { Timer } from '../stores/timer.ts';
import { arnOf, ofType, propertiesOf } from './resources.ts';
import type { Roles } from './roles.ts';

export interface LorawanOptions {
  readonly accountId: string;
  readonly region: string;
  /** Where state outlives the process; memory only without. */
  readonly directory?: string;
  readonly registry: Registry;
  readonly pki: Pick<DevelopmentPki, 'caPem' | 'server'>;
  readonly roles: Pick<Roles, 'authorizeRole'>;
  /** Hands a message to the rules. */
  readonly publishToRules: (inbound: Inbound) => Promise<void>;
  /** Publishes to subscribers and rules. */
  readonly deliver: (message: ServiceMessage) => Promise<void>;
  readonly now: () => number;
  readonly timer: Timer;
  readonly random: () => number;
  readonly uuid: () => string;
  readonly log: Log;
}

/** Where gateways find the network; a template without a destination has no LoRaWAN, and no ports. */
export interface LorawanPorts {
  /** LoRa Basics Station over TLS. */
  readonly lnsPort: number;
  /** Semtech's UDP packet forwarder. */
  readonly udpPort: number;
}

/** The radio side of the laptop: a LoRaWAN network behind the template's destinations. */
export interface Lorawan {
  readonly operations: readonly Operation[];
  readonly listen: (
    ports: { readonly lns: number; readonly udp: number },
    host: string,
  ) => Promise<LorawanPorts | undefined>;
  readonly counters: NetworkServer['counters'];
  readonly idle: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const DestinationProperties = z.object({
  Name: z.string(),
  ExpressionType: z.enum(['RuleName', 'MqttTopic'], {
    error: 'the laptop has destinations by RuleName and MqttTopic',
  }),
  Expression: z.string(),
  RoleArn: z.string(),
});

const ProfileProperties = z.object({
  Name: z.string().default(''),
  LoRaWAN: z.record(z.string(), z.unknown()).default({}),
});

/** @throws {BootError} naming destinations and profiles that cannot be served */
export function openLorawan(stack: ResolvedStack, options: LorawanOptions): Lorawan {
  const { registry, pki, now, timer, random, uuid, log } = options;
  const destinations = ofType(stack, 'AWS::IoTWireless::Destination').map(destinationOf);
  const deviceProfiles = ofType(stack, 'AWS::IoTWireless::DeviceProfile').map(profileOf);
  const serviceProfiles = ofType(stack, 'AWS::IoTWireless::ServiceProfile').map(profileOf);
  const store = createLorawanStore(options.directory);
  const network = createNetworkServer({
    store,
    publishUplink: createUplinks(destinations, options),
    publishEvent: (topic, body) =>
      options.publishToRules({ topic, payload: Buffer.from(JSON.stringify(body)), ...OWN }),
    extrasOf: (device) => extrasOf(device, serviceProfiles),
    now,
    timer,
    random,
    uuid,
    log,
  });
  const tls = { cert: pki.server.certificatePem, key: pki.server.privateKeyPem };
  const shared = { store, network, now, timer, log };
  const lns = createLnsServer({ ...shared, tls, registry });
  const udp = createUdpServer(shared);
  const open: { ports?: LorawanPorts } = {};
  return {
    operations: iotWirelessOperations({
      ...options,
      store,
      destinations,
      deviceProfiles,
      serviceProfiles,
      hasCertificate: (certificateId) => registry.certificate(certificateId) !== undefined,
      isConnected: network.isConnected,
      lnsEndpoint: () => open.ports && `wss://localhost:${open.ports.lnsPort}`,
      serverTrustPem: pki.caPem,
    }),
    listen: async (ports, host) => {
      if (destinations.length === 0) return undefined;
      const [lnsPort, udpPort] = [
        await lns.listen(ports.lns, host),
        await udp.listen(ports.udp, host),
      ];
      open.ports = { lnsPort, udpPort };
      network.resume();
      return open.ports;
    },
    counters: network.counters,
    idle: network.idle,
    close: async () => {
      network.stop();
      await Promise.all([lns.close(), udp.close()]);
      await network.idle();
      store.close();
    },
  };
}

function destinationOf(resource: ResolvedResource): Destination {
  const { Name, ExpressionType, Expression, RoleArn } = propertiesOf(
    resource,
    DestinationProperties,
  );
  return {
    name: Name,
    arn: arnOf(resource),
    expressionType: ExpressionType,
    expression: Expression,
    roleArn: RoleArn,
  };
}

function profileOf(resource: ResolvedResource): Profile {
  const { Name, LoRaWAN } = propertiesOf(resource, ProfileProperties);
  return { id: resource.physicalId, arn: arnOf(resource), name: Name, loRaWAN: LoRaWAN };
}

/** A message of the service itself, from no client. */
const OWN = { protocol: 'https', principal: '', sourceIp: '' } as const;

/** What the device's service profile says; without one, uplinks tell of their gateways. */
function extrasOf(device: WirelessDevice, profiles: readonly Profile[]): UplinkExtras {
  const profile = profiles.find(({ id }) => id === device.serviceProfileId)?.loRaWAN ?? {};
  return {
    gateways: profile['AddGwMetadata'] !== false,
    battery: profile['ReportDevStatusBattery'] === true,
    margin: profile['ReportDevStatusMargin'] === true,
  };
}

/** Hands uplinks to the destination's rule or topic, where its role lets the service do so. */
function createUplinks(
  destinations: readonly Destination[],
  { accountId, region, roles, publishToRules, deliver, uuid, log }: LorawanOptions,
) {
  const byName = new Map(destinations.map((destination) => [destination.name, destination]));
  const lost = (message: string, { WirelessDeviceId }: UplinkEvent): void =>
    log({
      level: 'error',
      source: 'lorawan',
      message: `uplink lost: ${message}`,
      WirelessDeviceId,
    });
  const resource = (suffix: string) => `arn:aws:iot:${region}:${accountId}:${suffix}`;

  return async (destinationName: string, event: UplinkEvent): Promise<void> => {
    const destination = byName.get(destinationName);
    if (destination === undefined) {
      lost(`the template has no destination ${destinationName}`, event);
      return;
    }
    const { expressionType, expression, roleArn } = destination;
    const topic = expressionType === 'RuleName' ? `$aws/rules/${expression}` : expression;
    const needs: Need[] = [
      { action: 'iot:DescribeEndpoint', resource: '*' },
      { action: 'iot:Publish', resource: resource(`topic/${topic}`) },
    ];
    const denied = needs
      .map((need) => roles.authorizeRole(roleArn, need))
      .find(({ allowed }) => !allowed);
    if (denied !== undefined) {
      lost(
        `the role of destination ${destinationName} does not let it: ${denied.explanation}`,
        event,
      );
      return;
    }
    const payload = Buffer.from(JSON.stringify(event));
    if (expressionType === 'MqttTopic') await deliver({ topic, payload, qos: 1 });
    else {
      await publishToRules({ topic, payload, traceId: uuid(), ...OWN });
    }
  };
}
