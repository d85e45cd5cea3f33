import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Log } from '../core/log.ts';
import { FrameFault } from '../core/lorawan/fault.ts';
import { regionOf } from '../core/lorawan/region.ts';
import {
  downlinkMessage,
  routerConfig,
  routerInfo,
  routerRefusal,
  timeSyncAnswer,
} from '../core/lorawan/station/answers.ts';
import {
  parseRouterInfo,
  parseStationMessage,
  type StationFrame,
  type StationMessage,
} from '../core/lorawan/station/messages.ts';
import { checkCertificate } from '../runtime/broker/certificate.ts';
import type { RegistryView } from '../runtime/broker/registry-view.ts';
import { receptionOf, type Transmit, type WirelessGateway } from '../runtime/lorawan/model.ts';
import type { NetworkServer } from '../runtime/lorawan/network-server.ts';
import type { LorawanStore } from '../runtime/lorawan/store.ts';
import type { Timer } from '../stores/timer.ts';
import { type ServerTls, sourceIpOf, tlsOptions } from './tls.ts';

export interface LnsOptions {
  readonly tls: ServerTls;
  readonly registry: RegistryView;
  readonly store: Pick<LorawanStore, 'gateways' | 'gateway'>;
  readonly network: Pick<NetworkServer, 'receive' | 'connection'>;
  readonly now: () => number;
  readonly timer: Timer;
  readonly log: Log;
}

export interface GatewayPort {
  /** @returns the port, where 0 was asked for a free one */
  readonly listen: (port: number, host: string) => Promise<number>;
  readonly close: () => Promise<void>;
}

const DISCOVERY_PATH = '/router-info';
const TRAFFIC_PATH = '/gateway/';
const MAX_MESSAGE_BYTES = 64 * 1024;
/** How long after RX2 a station may take to tell that it has sent. */
const SENT_GRACE_MS = 3000;
/** WebSocket close codes. */
const POLICY_VIOLATION = 1008;
const GOING_AWAY = 1001;
const BAD_DATA = 1007;

/**
 * The LNS endpoint of AWS IoT Core for LoRaWAN: LoRa Basics Station over WebSocket and TLS, each gateway with the
 * certificate that is associated with it.
 */
export function createLnsServer(options: LnsOptions): GatewayPort {
  const { tls, registry, store, network, log } = options;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  const sessions = new Map<string, Session>();
  const server = createServer(tlsOptions(tls), (_request, response) => {
    response.writeHead(426, { upgrade: 'websocket' }).end();
  });

  const refuse = (reason: string, explanation: string, details: object): void =>
    log({
      level: 'warn',
      source: 'lorawan',
      message: `gateway refused: ${explanation}`,
      reason,
      ...details,
    });

  /** The gateway whose certificate the peer has shown. */
  const admit = (socket: TLSSocket): WirelessGateway | undefined => {
    const sourceIp = sourceIpOf(socket);
    const verdict = checkCertificate(socket.getPeerX509Certificate(), registry, options.now());
    if (!verdict.ok) {
      refuse(verdict.reason, verdict.explanation, { sourceIp });
      return undefined;
    }
    const { certificateId } = verdict;
    const gateway = store.gateways().find((known) => known.certificateId === certificateId);
    if (gateway === undefined)
      refuse(
        'UNKNOWN_GATEWAY',
        'the certificate is associated with no gateway; do so with AssociateWirelessGatewayWithCertificate',
        { sourceIp, certificateId },
      );
    return gateway;
  };

  const discover = (socket: WebSocket, gateway: WirelessGateway, authority: string): void => {
    socket.once('message', (data: Buffer) => {
      try {
        const asked = parseRouterInfo(data.toString());
        if (asked === gateway.eui) {
          socket.send(routerInfo(asked, `wss://${authority}${TRAFFIC_PATH}${asked}`));
        } else {
          const why = `the certificate is of gateway ${gateway.eui}, not of ${asked}`;
          refuse('WRONG_GATEWAY', why, { gatewayEui: asked });
          socket.send(routerRefusal(asked, why));
        }
        socket.close();
      } catch (error) {
        refuse('MESSAGE', String(error), { gatewayEui: gateway.eui });
        socket.close(BAD_DATA);
      }
    });
  };

  const serve = (socket: WebSocket, gateway: WirelessGateway): void => {
    sessions.get(gateway.id)?.end(GOING_AWAY);
    const session = openSession(socket, gateway, options);
    sessions.set(gateway.id, session);
    network.connection(gateway, 'connected');
    socket.on('close', () => {
      session.end(GOING_AWAY);
      if (sessions.get(gateway.id) !== session) return;
      sessions.delete(gateway.id);
      network.connection(gateway, 'disconnected');
    });
  };

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    const gateway = socket instanceof TLSSocket ? admit(socket) : undefined;
    if (gateway === undefined) {
      answerPlainly(socket, '401 Unauthorized');
      return;
    }
    const { pathname } = new URL(request.url ?? '/', 'https://localhost');
    const traffic = `${TRAFFIC_PATH}${gateway.eui}`;
    if (pathname !== DISCOVERY_PATH && pathname !== traffic) {
      refuse('PATH', `${pathname} is neither ${DISCOVERY_PATH} nor ${traffic}`, {
        gatewayEui: gateway.eui,
      });
      answerPlainly(socket, '404 Not Found');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', (error) =>
        refuse('WEBSOCKET', error.message, { gatewayEui: gateway.eui }),
      );
      if (pathname === traffic) serve(webSocket, gateway);
      else discover(webSocket, gateway, authorityOf(request));
    });
  };
  server.on('upgrade', upgrade);
  server.on('tlsClientError', (error, socket) => {
    refuse('TLS', error.message, { sourceIp: sourceIpOf(socket) });
  });

  const stopWatching = registry.onChange(() => {
    for (const [gatewayId, { certificateId, end }] of sessions) {
      const status = registry.certificate(certificateId)?.status;
      if (status === 'ACTIVE' && store.gateway(gatewayId) !== undefined) continue;
      refuse('CERTIFICATE', `its certificate is ${status ?? 'gone'}`, { gatewayId });
      end(POLICY_VIOLATION);
    }
  });

  return {
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
      }),
    close: async () => {
      stopWatching();
      for (const socket of sockets.clients) socket.terminate();
      for (const { end } of sessions.values()) end(GOING_AWAY);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Where the station reached this server, and will reach it again. */
const authorityOf = ({ headers, socket }: IncomingMessage): string =>
  /^[\w.:[\]-]+$/.test(headers.host ?? '') ? `${headers.host}` : `localhost:${socket.localPort}`;

function answerPlainly(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

interface Session {
  readonly certificateId: string;
  /** Ends the connection; downlinks that wait for their `dntxed` are given up. */
  readonly end: (code: number) => void;
}

function openSession(socket: WebSocket, gateway: WirelessGateway, options: LnsOptions): Session {
  const { store, network, now, timer, log } = options;
  const region = regionOf(gateway.region);
  const waiting = new Map<number, (problem: string | undefined) => void>();
  let lastDiid = 0;

  const transmitTo =
    ({ xtime, rctx }: StationFrame): Transmit =>
    (downlink) =>
      new Promise((resolve) => {
        if (socket.readyState !== socket.OPEN) return resolve('the gateway has gone');
        lastDiid += 1;
        const diid = lastDiid;
        const patienceMs = (downlink.rxDelaySeconds + 1) * 1000 + SENT_GRACE_MS;
        const settle = (problem: string | undefined): void => {
          cancel();
          waiting.delete(diid);
          resolve(problem);
        };
        const cancel = timer(patienceMs, () => settle('the station did not say that it was sent'));
        waiting.set(diid, settle);
        socket.send(downlinkMessage({ ...downlink, diid, xtime, rctx }));
      });

  /** It may have been deleted, or tied to another certificate, since it came. */
  const isStillTied = (): boolean => {
    const { certificateId } = store.gateway(gateway.id) ?? {};
    if (certificateId !== undefined && certificateId === gateway.certificateId) return true;
    const message = 'gateway refused: it was deleted or has another certificate by now';
    const about = { reason: 'UNKNOWN_GATEWAY', gatewayEui: gateway.eui };
    log({ level: 'warn', source: 'lorawan', message, ...about });
    return false;
  };

  const take = (message: StationMessage): void => {
    switch (message.kind) {
      case 'version':
        socket.send(routerConfig(region, gateway.subBand ?? 2));
        return;
      case 'frame':
        if (isStillTied())
          network.receive(receptionOf(gateway, message, now(), transmitTo(message)));
        else socket.close(POLICY_VIOLATION);
        return;
      case 'sent':
        waiting.get(message.diid)?.(undefined);
        return;
      case 'timesync':
        socket.send(timeSyncAnswer(message.txtime, now()));
        return;
      case 'ignored':
        log({
          level: 'debug',
          source: 'lorawan',
          message: `${message.msgtype} of a station is ignored`,
          gatewayEui: gateway.eui,
        });
    }
  };

  socket.on('message', (data: Buffer) => {
    try {
      take(parseStationMessage(data.toString()));
    } catch (error) {
      if (!(error instanceof FrameFault)) throw error;
      log({
        level: 'warn',
        source: 'lorawan',
        message: `refused: ${error.message}`,
        reason: 'MESSAGE',
        gatewayEui: gateway.eui,
      });
    }
  });
  return {
    certificateId: gateway.certificateId ?? '',
    end: (code) => {
      for (const settle of waiting.values()) settle('the gateway has gone');
      socket.close(code);
    },
  };
}
