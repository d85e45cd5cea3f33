import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import {
  type Credential,
  createAuthority,
  issueClient,
  issueServer,
  parseCertificate,
} from '../../local/pki/index.ts';
import { createGateway } from '../../local/servers/gateway.ts';
import { createRegistry } from '../../local/stores/registry.ts';
import { systemTimer } from '../../local/stores/timer.ts';
import { median } from './rounds.ts';

const THING = 'probe-1';
const ARN = 'arn:aws:iot:eu-central-1:000000000000:';
const IN_FLIGHT = 8;
const CONNECTS = 200;

/** CONNECT of `probe-1`, MQTT 3.1.1, clean session, keep-alive 60 s. */
const CONNECT = Buffer.from('101300044d5154540402003c000770726f62652d31', 'hex');
const CONNACK = Buffer.from('20020000', 'hex');

interface Identities {
  readonly ca: Credential;
  readonly server: Credential;
  readonly device: Credential;
}

type Kind = 'gateway' | 'bare';

/** In the child: serves one of both, and tells its CPU time whenever it is asked. */
process.on('message', ({ serve, identities }: { serve?: Kind; identities?: Identities }) => {
  if (serve !== undefined && identities !== undefined) {
    void (serve === 'gateway' ? serveGateway(identities) : serveBare(identities)).then(report);
  } else report(0);
});

function report(port: number): void {
  const { user, system } = process.cpuUsage();
  process.send?.({ port, cpuUs: user + system });
}

async function serveGateway({ server, device, ca }: Identities): Promise<number> {
  const place = { accountId: '000000000000', region: 'eu-central-1' };
  const registry = createRegistry({ now: Date.now, ...place });
  registry.addAuthority({
    reading: parseCertificate(ca.certificatePem),
    active: true,
    autoRegistration: false,
    certificateMode: 'DEFAULT',
  });
  const reading = parseCertificate(device.certificatePem);
  const principal = registry.arn.certificate(reading.certificateId);
  registry.createThing({ thingName: THING, attributes: { fleet: 'acme' } });
  registry.addCertificate({ reading, status: 'ACTIVE' });
  registry.attachThingPrincipal(THING, principal);
  const Resource = `${ARN}client/\${iot:Connection.Thing.ThingName}`;
  const Statement = { Effect: 'Allow', Action: 'iot:Connect', Resource };
  registry.createPolicy('device', JSON.stringify({ Version: '2012-10-17', Statement }));
  registry.attachPolicy('device', principal);
  const gateway = createGateway({
    registry,
    ...place,
    tls: { cert: server.certificatePem, key: server.privateKeyPem },
    publishToRules: async () => undefined,
    now: Date.now,
    uuid: randomUUID,
    timers: systemTimer,
    log: () => undefined,
  });
  const ports = await gateway.listen({ mqttPort: 0, httpsPort: 0, host: '127.0.0.1' });
  return ports.mqttPort;
}

/** A TLS server that asks for a certificate and answers CONNACK to whatever it is sent. */
async function serveBare({ server, ca }: Identities): Promise<number> {
  const bare = createServer(
    {
      cert: server.certificatePem,
      key: server.privateKeyPem,
      ca: ca.certificatePem,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (socket) => {
      socket.on('data', () => socket.write(CONNACK));
      socket.on('error', () => socket.destroy());
    },
  );
  bare.listen(0, '127.0.0.1');
  await once(bare, 'listening');
  return (bare.address() as AddressInfo).port;
}

const connectOnce = (port: number, { ca, device }: Identities): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: 'localhost',
      ca: ca.certificatePem,
      cert: device.certificatePem,
      key: device.privateKeyPem,
    });
    socket.on('secureConnect', () => socket.write(CONNECT));
    socket.on('data', (bytes: Buffer) => {
      socket.destroy();
      if (bytes.equals(CONNACK)) resolve();
      else reject(new Error(`answered ${bytes.toString('hex')}`));
    });
    socket.on('error', reject);
  });

interface Report {
  readonly port: number;
  readonly cpuUs: number;
}

async function ask(child: ChildProcess, message: object): Promise<Report> {
  const answer = once(child, 'message');
  child.send(message);
  const [report] = await answer;
  return report as Report;
}

interface Round {
  readonly perSecond: number;
  readonly cpuMs: number;
}

async function run(child: ChildProcess, port: number, identities: Identities): Promise<Round> {
  const before = await ask(child, {});
  const startedAtMs = performance.now();
  let left = CONNECTS;
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (left > 0) {
        left -= 1;
        await connectOnce(port, identities);
      }
    }),
  );
  const seconds = (performance.now() - startedAtMs) / 1000;
  const { cpuUs } = await ask(child, {});
  return { perSecond: CONNECTS / seconds, cpuMs: (cpuUs - before.cpuUs) / 1000 / CONNECTS };
}

async function issue(): Promise<Identities> {
  const validity = { notBeforeMs: Date.now() - 3_600_000, notAfterMs: Date.now() + 3_600_000 };
  const ca = await createAuthority([['CN', 'Bench CA']], validity);
  const subject = [
    ['CN', THING],
    ['O', 'acme'],
  ] as const;
  return {
    ca,
    server: await issueServer(ca, ['localhost'], validity),
    device: await issueClient(ca, subject, validity),
  };
}

export interface Connects {
  readonly gateway: Round;
  /** A TLS server that asks for a certificate and does nothing else. */
  readonly bare: Round;
  /** The gateway's connects a second over the bare server's. */
  readonly ratio: number;
}

/** Connects a second over mutual TLS up to the CONNACK, each server a process of its own, rounds in turns. */
export async function measureConnects(rounds: number): Promise<Connects> {
  const identities = await issue();
  const kinds = ['gateway', 'bare'] as const;
  const servers = await Promise.all(
    kinds.map(async (serve) => {
      const child = fork(import.meta.filename);
      const { port } = await ask(child, { serve, identities });
      return { serve, child, port, taken: [] as Round[] };
    }),
  );
  for (let round = -1; round < rounds; round += 1) {
    for (const { child, port, taken } of servers) {
      const figures = await run(child, port, identities);
      if (round >= 0) taken.push(figures);
    }
  }
  for (const { child } of servers) child.kill();
  const middle = (kind: Kind): Round => {
    const taken = servers.find(({ serve }) => serve === kind)?.taken ?? [];
    return {
      perSecond: median(taken.map((each) => each.perSecond)),
      cpuMs: median(taken.map((each) => each.cpuMs)),
    };
  };
  const [gateway, bare] = [middle('gateway'), middle('bare')];
  return { gateway, bare, ratio: gateway.perSecond / bare.perSecond };
}
