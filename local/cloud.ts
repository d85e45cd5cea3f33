import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DeclaredDomain, declareAuthorizers, declareDomains } from './boot/access.ts';
import { openBuckets, openDeliveries } from './boot/archives.ts';
import { type Backend, openBackend } from './boot/backend.ts';
import { openCredentialDesk, type SessionRequest } from './boot/credentials.ts';
import { createDelivery } from './boot/delivery.ts';
import { declarePolicies } from './boot/device-policies.ts';
import { type DeviceDesk, registerDevice } from './boot/devices.ts';
import { readFunctions, unpackFunctions } from './boot/functions.ts';
import { type LorawanPorts, openLorawan } from './boot/lorawan.ts';
import { createMappings } from './boot/mappings.ts';
import { loadResourcePolicies } from './boot/resource-policies.ts';
import { BootError, ofType } from './boot/resources.ts';
import { loadRoles } from './boot/roles.ts';
import { openSinks } from './boot/rule-sinks.ts';
import { errorActionQueues, openRules } from './boot/rules.ts';
import { keepSweeping, openSchedules } from './boot/schedules.ts';
import { createDeclared } from './boot/stores.ts';
import { assessSupport, type Notice } from './boot/support.ts';
import { openTopics } from './boot/topics.ts';
import { defaultEndpoint } from './core/endpoint/index.ts';
import type { Log } from './core/log.ts';
import type { Timers } from './core/mqtt/broker-state.ts';
import { type ResolvedStack, resolveTemplate } from './core/template/index.ts';
import type { DeviceIdentity } from './fleet/device.ts';
import { controlOperations } from './operations/control/index.ts';
import { authorizerOperations } from './operations/iot/authorizers.ts';
import { iotOperations } from './operations/iot/index.ts';
import { iotDataOperations } from './operations/iot-data/index.ts';
import { lambdaOperations } from './operations/lambda/index.ts';
import { snsOperations } from './operations/sns/index.ts';
import { openPki } from './pki/index.ts';
import { createAuthorizers } from './runtime/authorizer/authorizers.ts';
import type { Mapping } from './runtime/event-source-mapping.ts';
import { createLambdaRuntime, type LambdaRuntime } from './runtime/lambda.ts';
import { type Clock, systemClock } from './runtime/lambda-clock.ts';
import type { Credentials } from './runtime/lambda-environment.ts';
import {
  createRefusalBook,
  type Entry,
  type RefusalBook,
  type RefusalQuery,
} from './runtime/refusal-book.ts';
import type { Authorize } from './servers/aws-access.ts';
import type { Faults, FaultyCall } from './servers/aws-faults.ts';
import { createGateway, type Gateway } from './servers/gateway.ts';
import { createAuthorizerStore } from './stores/authorizer-store.ts';
import { createRegistry } from './stores/registry.ts';

/** The account and partition that the laptop pretends to be. */
const ACCOUNT_ID = '000000000000';
const DEFAULT_REGION = 'eu-central-1';
const HOST = '127.0.0.1';

export interface LaptopOptions {
  /** The compiled template, as `sls package` writes it. */
  readonly templateFile: string;
  /** Where `sls package` left the functions' zips. */
  readonly packageDirectory: string;
  /** Where certificates are kept, made where they are missing. */
  readonly certificateDirectory: string;
  /** Where state outlives the process; memory only without. */
  readonly directory?: string;
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
  readonly region?: string;
  readonly log: Log;
  readonly clock?: Clock;
  readonly timers?: Timers;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  readonly uuid?: () => string;
  /** Sees each AWS call that is about to take place. */
  readonly onCall?: (call: FaultyCall) => void;
  readonly faults?: Faults;
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
  const { log, clock = systemClock, random = Math.random, uuid = randomUUID, ports } = options;
  const place = { accountId: ACCOUNT_ID, region: options.region ?? DEFAULT_REGION };
  const kept = options.directory === undefined ? {} : { directory: options.directory };
  const stack = readStack(options.templateFile, place);
  const roles = loadRoles(stack);
  const code = await unpack(stack, options.packageDirectory, opened);
  const credentials = openCredentialDesk(code.specs, randomHex, roles);
  const refusals = createRefusalBook(clock.now);

  const pki = await openPki({ directory: options.certificateDirectory, now: clock.now });
  const registry = createRegistry({ now: clock.now, uuid, ...place, ...kept });
  opened.defer(registry.close);
  declarePolicies(stack, registry);
  const desk: DeviceDesk = {
    registry,
    pki,
    policyNames: ofType(stack, 'AWS::IoT::Policy')
      .map(({ name }) => name)
      .filter((name) => name.endsWith(DEVICE_POLICY)),
    directory: join(options.certificateDirectory, 'devices'),
    now: clock.now,
  };

  const open: { backend?: Backend; gateway?: Gateway } = {};
  const lambda = createLambdaRuntime({
    functions: code.specs,
    get endpoint() {
      return open.backend?.url ?? '';
    },
    credentialsOf: credentials.credentialsOf,
    log,
    clock,
    asynchronous: {
      settings: code.asyncSettings,
      authorize: roles.authorize,
      deliver: (arn, { body, attributes }) => deliver(arn, body, attributes),
    },
  });
  const store = createAuthorizerStore({ ...place, now: clock.now });
  declareAuthorizers(stack, store);
  const domains = await declareDomains(stack, { pki, authorizers: store });
  const authorizers = createAuthorizers({
    find: store.find,
    invoke: lambda.invoke,
    permissions: ofType(stack, 'AWS::Lambda::Permission').map(({ properties }) => properties),
    accountId: place.accountId,
    sleep: clock.sleep,
  });
  const policies = loadResourcePolicies(stack);
  const lorawan = openLorawan(stack, {
    ...place,
    ...kept,
    registry,
    pki,
    roles,
    publishToRules: (inbound) => rules.publish(inbound),
    deliver: async (message) => open.gateway?.deliver(message),
    now: clock.now,
    timer: options.timers ?? systemTimers,
    random,
    uuid,
    log,
  });
  const { topics, publish } = openTopics(stack, {
    ...place,
    policies,
    send: (queue, message) => open.backend?.queues.send(queue, message),
    invokeAsync: lambda.invokeAsync,
    now: clock.now,
    uuid,
    log,
  });
  const backend = await openBackend({
    ...place,
    ...kept,
    now: clock.now,
    uuid,
    log,
    port: ports.aws,
    callerOf: credentials.callerOf,
    authorize: noting(roles.authorize, refusals),
    operations: [
      ...iotOperations({ registry, pki, ...place, endpointOf }),
      ...authorizerOperations({
        authorizers: store,
        ask: (authorizer, presented) => authorizers.ask(authorizer, presented, uuid()),
        domains,
      }),
      ...iotDataOperations({
        ...place,
        publish: async (message) => open.gateway?.deliver(message),
        disconnect: (clientId, how) => open.gateway?.disconnect(clientId, how) ?? false,
      }),
      ...controlOperations({ refusals }),
      ...lambdaOperations(lambda),
      ...lorawan.operations,
      ...snsOperations({ topics, publish, ...place }),
    ],
    faults: observed(options),
  });
  open.backend = backend;
  opened.defer(backend.close);
  opened.defer(lambda.close);
  await createDeclared(stack, backend, backend.url);

  const buckets = openBuckets(stack, options.directory);
  opened.defer(buckets.close);
  const { streams } = backend;
  const archives = { objects: buckets, streams, roles, clock, random, uuid, log };
  const deliveries = openDeliveries(stack, archives);
  const deliver = createDelivery(backend.queues, lambda, publish);
  const sources = createMappings(stack, {
    stores: backend,
    lambda,
    authorize: roles.authorize,
    deliver: (arn, record) => deliver(arn, JSON.stringify(record)),
    clock,
    random,
    uuid,
    log,
  });
  const mappings = [...sources, ...deliveries.sources];
  const rules = openRules(stack, {
    sinks: openSinks(stack, {
      ...place,
      operations: backend.operations,
      lambda,
      deliver: async (message) => open.gateway?.deliver(message),
      buckets,
      deliveries,
      topics,
      publish,
      policies,
      log,
    }),
    roles,
    env: { ...place, now: clock.now, random, uuid, sleep: clock.sleep },
    log,
  });
  const gateway = createGateway({
    registry,
    ...place,
    tls: { cert: pki.server.certificatePem, key: pki.server.privateKeyPem },
    publishToRules: rules.publish,
    now: clock.now,
    uuid,
    timers: options.timers ?? systemTimers,
    log,
    onEvent: (event) => {
      if (event.type !== 'lifecycle') refusals.add(event);
    },
    propagationDelayMs: options.propagationDelayMs ?? 0,
    access: {
      authorizers,
      keys: credentials.keys,
      ownEndpoint: () => defaultEndpoint(store.defaultName()),
      domains,
    },
  });
  open.gateway = gateway;
  const schedules = openSchedules(stack, { ...clock, invokeAsync: lambda.invokeAsync, uuid, log });

  opened.defer(keepSweeping(backend.tables.sweep, { ...clock, log }));
  opened.defer(async () => {
    await Promise.all([schedules.stop(), ...mappings.map((mapping) => mapping.stop())]);
  });
  for (const mapping of mappings) mapping.start();
  schedules.start();
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
    ...place,
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
    objectsDirectory: buckets.directory,
    devicesDirectory: desk.directory,
    addDevice: (thing, fleet) => registerDevice(desk, thing, fleet),
    idle: async () => {
      await lorawan.idle();
      await settled(mappings, lambda);
    },
  };
}

/** The policy that certificates of devices get, among others for dashboards and claims, ends with this. */
const DEVICE_POLICY = '-device';

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

/** DescribeEndpoint tells a host without a port: the gateway's ports are AWS's own unless they were moved. */
const endpointOf = (endpointType: string): string | undefined =>
  endpointType === 'iot:Data-ATS' ? 'localhost' : undefined;

const randomHex = (bytes: number): string => randomBytes(bytes).toString('hex');

const systemTimers: Timers = (ms, run) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

/** @throws {BootError} naming whatever of the template could not be resolved */
function readStack(
  templateFile: string,
  place: { accountId: string; region: string },
): ResolvedStack {
  const template: unknown = JSON.parse(readFileSync(templateFile, 'utf8'));
  const stack = resolveTemplate(template, { ...place, partition: 'aws', stackName: 'tributary' });
  if (stack.problems.length > 0) throw new BootError(stack.problems);
  return stack;
}

/** Each boot runs the packages as they are now, from a folder of its own. */
async function unpack(
  stack: ResolvedStack,
  packageDirectory: string,
  opened: AsyncDisposableStack,
) {
  const directory = mkdtempSync(join(tmpdir(), 'tributary-code-'));
  opened.defer(() => rmSync(directory, { recursive: true, force: true }));
  const { functions, asyncSettings } = readFunctions(stack, directory);
  await unpackFunctions(functions, packageDirectory);
  return { directory, asyncSettings, specs: functions.map(({ spec }) => spec) };
}

function observed({ onCall, faults }: LaptopOptions): Faults {
  return (call) => {
    const fault = faults?.(call);
    if (fault === undefined) onCall?.(call);
    return fault;
  };
}

/** Resolves once neither an event source nor an asynchronous invocation has anything left to do. */
async function settled(mappings: readonly Mapping[], lambda: LambdaRuntime): Promise<void> {
  // a function may write what the next mapping reads: done only when a whole round found nothing to do
  for (let round = 0; round <= mappings.length; round += 1) {
    await lambda.idle();
    for (const mapping of mappings) await mapping.idle();
  }
}

function countErrorActions(stack: ResolvedStack, { queues }: Backend): () => number {
  const names = errorActionQueues(stack);
  let count = 0;
  queues.onSend((name) => {
    if (names.has(name)) count += 1;
  });
  return () => count;
}
