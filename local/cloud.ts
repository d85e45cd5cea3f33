import type { DeclaredDomain } from './boot/access.ts';
import { openAudits } from './boot/audits.ts';
import { type Backend, openBackend } from './boot/backend.ts';
import { openCompute } from './boot/compute.ts';
import { controlPlane } from './boot/control-plane.ts';
import type { SessionRequest } from './boot/credentials.ts';
import { registerDevice } from './boot/devices.ts';
import { openEvents } from './boot/events.ts';
import { createExchange, type Ends } from './boot/exchange.ts';
import { openFlow } from './boot/flow.ts';
import { openIdentity } from './boot/identity.ts';
import { type LorawanPorts, openLorawan } from './boot/lorawan.ts';
import { openProvisioning } from './boot/provisioning.ts';
import { loadResourcePolicies } from './boot/resource-policies.ts';
import { loadRoles, type OnNeed } from './boot/roles.ts';
import { errorActionQueues } from './boot/rules.ts';
import { createDeclared } from './boot/stores.ts';
import { assessSupport, type Notice } from './boot/support.ts';
import { openTopics } from './boot/topics.ts';
import { createWorld, readStack, type WorldOptions } from './boot/world.ts';
import { defaultEndpoint } from './core/endpoint/index.ts';
import type { ResolvedStack } from './core/template/index.ts';
import type { DeviceIdentity } from './fleet/device.ts';
import { justInTime } from './runtime/broker/just-in-time.ts';
import type { BusEvent } from './runtime/event-bus.ts';
import type { Credentials } from './runtime/lambda-environment.ts';
import {
  createRefusalBook,
  type Entry,
  type RefusalBook,
  type RefusalQuery,
  type Remark,
} from './runtime/refusal-book.ts';
import type { Authorize } from './servers/aws-access.ts';
import type { Faults, FaultyCall } from './servers/aws-faults.ts';
import { createGateway, type Gateway } from './servers/gateway.ts';

const HOST = '127.0.0.1';

export interface LaptopOptions extends WorldOptions {
  /** The compiled template, as `sls package` writes it. */
  readonly templateFile: string;
  /** Where `sls package` left the functions' zips. */
  readonly packageDirectory: string;
  /** Where certificates are kept, made where they are missing. */
  readonly certificateDirectory: string;
  /** 0 takes any free port. */
  readonly ports: {
    readonly aws: number;
    readonly mqtt: number;
    readonly https: number;
    /** Stands for AWS's 443, where WebSockets, signatures and custom authorizers are. */
    readonly port443?: number;
    /** Of the first domain configuration; the others follow. */
    readonly firstDomain?: number;
  };
  /** From a change of certificates or policies to the moment it counts for open connections; 0 unless told. */
  readonly propagationDelayMs?: number;
  /** Where LoRaWAN gateways connect, if the template has a destination; 0 takes any free port. */
  readonly lorawanPorts?: { readonly lns: number; readonly udp: number };
  /** Sees each AWS call that is about to take place. */
  readonly onCall?: (call: FaultyCall) => void;
  readonly onNeed?: OnNeed;
  readonly faults?: Faults;
  /** Sees each event that is put on an event bus. */
  readonly onEvent?: (event: BusEvent) => void;
  /** Adds to a refusal what the gateway cannot know of it. */
  readonly remark?: Remark;
}

export interface Laptop {
  readonly accountId: string;
  readonly region: string;
  /** The one address of all AWS APIs, `http://127.0.0.1:<port>`. */
  readonly awsEndpoint: string;
  readonly mqttPort: number;
  readonly httpsPort: number;
  /** Stands for AWS's 443 at the account's own endpoint. */
  readonly port443: number;
  /** The template's domain configurations, each at a port of its own. */
  readonly domains: readonly LaptopDomain[];
  /** Where LoRaWAN gateways connect; undefined where the template has no destination for what they hear. */
  readonly lorawan: LorawanPorts | undefined;
  /** PEM file of what clients trust the gateway by. */
  readonly caFile: string;
  readonly caPem: string;
  /** What of the template does not run here. */
  readonly notices: readonly Notice[];
  /** Where buckets are, a folder each; a temporary one unless state is kept. */
  readonly objectsDirectory: string;
  /** Where the devices made here have their files, a folder each. */
  readonly devicesDirectory: string;
  /** Registers a device with a certificate just made, under the policies of the template. */
  readonly addDevice: (thing: string, fleet: string) => Promise<DeviceIdentity>;
  /** Makes temporary keys that IAM policies hold: for a dashboard, a person, a test. */
  readonly addSession: (asked: SessionRequest) => Credentials;
  /** What was refused of late, and why. */
  readonly refusals: (query?: RefusalQuery) => readonly Entry[];
  readonly counters: () => ReturnType<Gateway['counters']> & { readonly errorActions: number };
  /** Resolves when everything that was sent so far has been dealt with. */
  readonly idle: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface LaptopDomain {
  readonly name: string;
  readonly domainName: string;
  readonly authentication: DeclaredDomain['endpoint']['authentication'];
  readonly application: DeclaredDomain['endpoint']['application'];
  readonly port: number;
}

/**
 * Starts what a packaged template declares: stores behind their AWS APIs, functions in workers under their roles,
 * event sources, topic rules, and the device gateway.
 *
 * @throws {BootError} naming everything in the template that cannot be started
 */
export async function startLaptop(options: LaptopOptions): Promise<Laptop> {
  await using opened = new AsyncDisposableStack();
  const laptop = await boot(options, opened);
  const running = opened.move();
  return { ...laptop, close: () => running.disposeAsync() };
}

/** @param opened  takes what is to be closed again, the last first, also when a later step fails */
async function boot(
  options: LaptopOptions,
  opened: AsyncDisposableStack,
): Promise<Omit<Laptop, 'close'>> {
  const { packageDirectory, certificateDirectory, ports } = options;
  const world = createWorld(options);
  const { accountId, region, now } = world;
  const stack = readStack(options.templateFile, world);
  const roles = loadRoles(stack, options.onNeed);
  const policies = loadResourcePolicies(stack);
  const refusals = createRefusalBook(now, { remark: options.remark });
  const ends: Ends = {};
  const exchange = createExchange(ends);

  const compute = await openCompute(stack, world, { roles, exchange, packageDirectory }, opened);
  const { lambda, credentials } = compute;
  ends.lambda = lambda;
  const { invoke, invokeAsync } = lambda;
  const identity = await openIdentity(stack, world, { invoke, certificateDirectory }, opened);
  const { registry, pki, desk, domains, authorizers, authorizerStore } = identity;
  const lorawan = openLorawan(stack, {
    ...world,
    registry,
    pki,
    roles,
    publishToRules: exchange.publishToRules,
    deliver: exchange.publishToDevices,
    timer: world.timers,
  });
  const send = exchange.sendToQueue;
  const { topics, publish } = openTopics(stack, { ...world, policies, send, invokeAsync });
  ends.publish = publish;
  const audits = openAudits(stack, world, { registry, roles, topics, publish });
  const { onEvent } = options;
  const events = openEvents(stack, world, { exchange, policies, topics, publish, onEvent });
  const backend = await openBackend({
    ...world,
    port: ports.aws,
    callerOf: credentials.callerOf,
    authorize: noting(roles.authorize, refusals),
    operations: [
      ...events.recorded([
        ...controlPlane({ ...world, ...identity, lambda, exchange, refusals, topics, publish }),
        ...audits.operations,
      ]),
      ...events.operations,
      ...lorawan.operations,
    ],
    faults: observed(options),
  });
  ends.backend = backend;
  opened.defer(backend.close);
  opened.defer(lambda.close);
  await createDeclared(stack, backend, backend.url);

  const parts = { backend, lambda, topics, publish, policies, roles, exchange };
  const flow = openFlow(stack, world, parts, opened);
  ends.rules = flow.rules;
  const gateway = createGateway({
    ...world,
    registry,
    tls: { cert: pki.server.certificatePem, key: pki.server.privateKeyPem },
    publishToRules: flow.rules.publish,
    onEvent: (event) => {
      if (event.type === 'lifecycle') audits.noteConnection(event.body);
      else refusals.add(event);
    },
    propagationDelayMs: options.propagationDelayMs ?? 0,
    justInTime: justInTime({ registry, accountId, now }),
    serviceTopics: openProvisioning(stack, world, { registry, pki, lambda, roles }),
    access: {
      authorizers,
      keys: credentials.keys,
      ownEndpoint: () => defaultEndpoint(authorizerStore.defaultName()),
      domains,
    },
  });
  ends.gateway = gateway;
  flow.start();
  opened.defer(audits.stop);
  audits.start();
  opened.defer(gateway.close);
  const {
    domainPorts,
    port443 = 0,
    ...listening
  } = await gateway.listen({
    mqttPort: ports.mqtt,
    httpsPort: ports.https,
    port443: ports.port443 ?? 0,
    firstDomainPort: ports.firstDomain ?? 0,
    host: HOST,
  });
  opened.defer(lorawan.close);
  const lorawanPorts = await lorawan.listen(options.lorawanPorts ?? { lns: 0, udp: 0 }, HOST);
  const failed = countErrorActions(stack, backend);
  return {
    accountId,
    region,
    ...listening,
    port443,
    domains: domains.map((domain) => laptopDomain(domain, domainPorts)),
    lorawan: lorawanPorts,
    awsEndpoint: backend.url,
    caFile: pki.caFile,
    caPem: pki.caPem,
    notices: assessSupport(stack),
    addSession: credentials.addSession,
    refusals: refusals.read,
    counters: () => ({ ...gateway.counters(), errorActions: failed() }),
    objectsDirectory: flow.objectsDirectory,
    devicesDirectory: desk.directory,
    addDevice: (thing, fleet) => registerDevice(desk, thing, fleet),
    idle: async () => {
      await lorawan.idle();
      await audits.idle();
      await flow.idle();
    },
  };
}

const laptopDomain = (
  { endpoint }: DeclaredDomain,
  ports: Readonly<Record<string, number>>,
): LaptopDomain => ({
  name: endpoint.name,
  domainName: endpoint.domainName ?? '',
  authentication: endpoint.authentication,
  application: endpoint.application,
  port: ports[endpoint.name] ?? 0,
});

/** A missing grant of a role is a refusal like any other. */
const noting =
  (authorize: Authorize, refusals: RefusalBook): Authorize =>
  (caller, need) => {
    const verdict = authorize(caller, need);
    if (!verdict.allowed && caller.kind === 'function') {
      const { action, resource } = need;
      const principal = caller.roleArn;
      const { explanation } = verdict;
      refusals.add({ type: 'role-refusal', principal, action, resource, explanation });
    }
    return verdict;
  };

function observed({ onCall, faults }: LaptopOptions): Faults {
  return (call) => {
    const fault = faults?.(call);
    if (fault === undefined) onCall?.(call);
    return fault;
  };
}

function countErrorActions(stack: ResolvedStack, { queues }: Backend): () => number {
  const names = errorActionQueues(stack);
  let count = 0;
  queues.onSend((name) => {
    if (names.has(name)) count += 1;
  });
  return () => count;
}
