import { createSocket, type RemoteInfo } from 'node:dgram';
import type { Log } from '../core/log.ts';
import { FrameFault } from '../core/lorawan/fault.ts';
import {
  acknowledgement,
  type ForwarderPacket,
  type HeardFrame,
  parsePacket,
  parsePush,
  parseTxAck,
  pullResponse,
} from '../core/lorawan/forwarder/packets.ts';
import { regionOf } from '../core/lorawan/region.ts';
import {
  type Downlink,
  receptionOf,
  type Transmit,
  type WirelessGateway,
} from '../runtime/lorawan/model.ts';
import type { NetworkServer } from '../runtime/lorawan/network-server.ts';
import type { LorawanStore } from '../runtime/lorawan/store.ts';
import type { Timer } from '../stores/timer.ts';
import type { GatewayPort } from './lorawan-lns.ts';

export interface UdpOptions {
  readonly store: Pick<LorawanStore, 'gatewayByEui'>;
  readonly network: Pick<NetworkServer, 'receive' | 'connection'>;
  readonly now: () => number;
  readonly timer: Timer;
  readonly log: Log;
}

/** A gateway that has not asked for so long is gone; they ask every 5 to 10 seconds. */
const SILENCE_MS = 60_000;
const TX_ACK_MS = 1500;
/** RX2 opens so long after RX1. */
const RX2_LATER_US = 1_000_000;
/** Strangers are reported so often at most, each. */
const REPORT_EVERY_MS = 60_000;
const MAX_STRANGERS = 1000;

/** Where a gateway can be reached, as long as it keeps asking. */
interface Path {
  readonly gateway: WirelessGateway;
  readonly port: number;
  readonly address: string;
  readonly expire: () => void;
}

/**
 * The Semtech UDP packet forwarder protocol, version 2. It has no authentication at all: who may be taken for a
 * gateway is decided by the EUI alone, so the socket belongs on loopback.
 */
export function createUdpServer({ store, network, now, timer, log }: UdpOptions): GatewayPort {
  const socket = createSocket('udp4');
  const paths = new Map<string, Path>();
  const waiting = new Map<number, (problem: string | undefined) => void>();
  const reportedAtMs = new Map<string, number>();
  let lastToken = 0;

  const refuse = (reason: string, explanation: string, details: object): void =>
    log({
      level: 'warn',
      source: 'lorawan',
      message: `gateway refused: ${explanation}`,
      reason,
      ...details,
    });

  const refuseStranger = (gatewayEui: string, sourceIp: string): void => {
    if (now() - (reportedAtMs.get(gatewayEui) ?? Number.NEGATIVE_INFINITY) < REPORT_EVERY_MS)
      return;
    if (reportedAtMs.size >= MAX_STRANGERS) reportedAtMs.clear();
    reportedAtMs.set(gatewayEui, now());
    const why = `no gateway has the EUI ${gatewayEui}; register it with CreateWirelessGateway`;
    refuse('UNKNOWN_GATEWAY', why, { gatewayEui, sourceIp });
  };

  const pathOpen = (gateway: WirelessGateway, { port, address }: RemoteInfo): void => {
    const before = paths.get(gateway.eui);
    before?.expire();
    const cancel = timer(SILENCE_MS, () => {
      paths.delete(gateway.eui);
      network.connection(gateway, 'disconnected');
    });
    paths.set(gateway.eui, { gateway, port, address, expire: cancel });
    if (before === undefined) network.connection(gateway, 'connected');
  };

  const sendAt = (path: Path, packet: Buffer, token: number): Promise<string | undefined> =>
    new Promise((resolve) => {
      const settle = (problem: string | undefined): void => {
        cancel();
        waiting.delete(token);
        resolve(problem);
      };
      const cancel = timer(TX_ACK_MS, () => settle('the gateway did not acknowledge it'));
      waiting.set(token, settle);
      socket.send(packet, path.port, path.address);
    });

  const transmitTo =
    ({ eui, region: name }: WirelessGateway, { tmst }: HeardFrame): Transmit =>
    async ({ phyPayload, rxDelaySeconds, rx1, rx2 }: Downlink) => {
      const region = regionOf(name);
      const rx1Tmst = tmst + rxDelaySeconds * 1_000_000;
      const tries = [
        { window: rx1, tmst: rx1Tmst },
        { window: rx2, tmst: rx1Tmst + RX2_LATER_US },
      ];
      const problems: string[] = [];
      for (const { window, tmst: at } of tries) {
        const path = paths.get(eui);
        if (path === undefined) return 'the gateway has not asked for downlinks (PULL_DATA)';
        lastToken = (lastToken + 1) % 0x1_0000;
        const token = lastToken;
        const packet = pullResponse(token, region, { phyPayload, tmst: at, window });
        const problem = await sendAt(path, packet, token);
        if (problem === undefined) return undefined;
        problems.push(problem);
      }
      return `RX1: ${problems[0]}, RX2: ${problems[1]}`;
    };

  const take = (packet: ForwarderPacket, remote: RemoteInfo): void => {
    const gateway = store.gatewayByEui(packet.gatewayEui);
    if (gateway === undefined) {
      refuseStranger(packet.gatewayEui, remote.address);
      return;
    }
    const answer = acknowledgement(packet);
    if (answer !== undefined) socket.send(answer, remote.port, remote.address);
    if (packet.kind === 'pull-data') pathOpen(gateway, remote);
    else if (packet.kind === 'tx-ack') waiting.get(packet.token)?.(parseTxAck(packet.json));
    else
      for (const frame of parsePush(packet.json, regionOf(gateway.region)))
        network.receive(receptionOf(gateway, frame, now(), transmitTo(gateway, frame)));
  };

  socket.on('message', (bytes, remote) => {
    try {
      take(parsePacket(bytes), remote);
    } catch (error) {
      if (!(error instanceof FrameFault)) throw error;
      refuse('PACKET', error.message, { sourceIp: remote.address });
    }
  });

  return {
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        socket.once('error', reject);
        socket.bind(port, host, () => {
          socket.removeListener('error', reject);
          socket.on('error', (error) => refuse('SOCKET', error.message, {}));
          resolve(socket.address().port);
        });
      }),
    close: async () => {
      for (const { expire } of paths.values()) expire();
      for (const settle of waiting.values()) settle('the laptop is stopping');
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}
