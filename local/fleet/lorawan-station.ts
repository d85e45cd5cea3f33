import { once } from 'node:events';
import { WebSocket } from 'ws';
import * as z from 'zod';
import { dashedEui, id6Of } from '../core/lorawan/eui.ts';
import { mTypeOf } from '../core/lorawan/frame.ts';
import { reversedHex } from '../core/lorawan/octets.ts';
import { parseStationJson, stationJson } from '../core/lorawan/station/json.ts';

/** What a gateway has to connect with. */
export interface StationIdentity {
  /** 16 hexadecimal digits. */
  readonly eui: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** What it trusts the network server by. */
  readonly caPem: string;
}

/** How a frame was heard. */
export interface Hearing {
  readonly dataRate: number;
  readonly frequencyHz: number;
  readonly rssi: number;
  readonly snr: number;
}

/** A gateway that is connected. */
export interface Station {
  /** What the network server told it to listen to. */
  readonly config: unknown;
  readonly hear: (phyPayload: Buffer, hearing: Hearing) => void;
  /** Resolves with the WebSocket's close code once the connection has ended. */
  readonly ended: Promise<number>;
  readonly stop: () => Promise<void>;
}

const RouterInfo = z.object({ uri: z.string().optional(), error: z.string().optional() });
const Typed = z.looseObject({ msgtype: z.string() });
/** Networks whose data frames the station is to forward; without a list, all of them. */
const Config = z.looseObject({ NetID: z.array(z.int()).nullish() });
const Downlink = z.object({
  diid: z.int(),
  pdu: z.string(),
  DevEui: z.string(),
  xtime: z.union([z.int(), z.bigint()]),
  rctx: z.union([z.int(), z.bigint()]),
});

/** Beyond what a double can tell apart, as the clocks of real stations are. */
const FIRST_XTIME = 40_532_396_646_334_464n;

/**
 * Connects as LoRa Basics Station does: asks where to go, goes there, tells its version, and is configured.
 *
 * @param url         the network server, `wss://localhost:8887`
 * @param onDownlink  hears what the gateway would send, when it is told
 * @throws {Error} with the network server's reason when it refuses the gateway
 */
export async function connectStation(
  identity: StationIdentity,
  url: string,
  onDownlink: (phyPayload: Buffer) => void,
): Promise<Station> {
  const tls = { cert: identity.certificatePem, key: identity.privateKeyPem, ca: identity.caPem };
  const uri = await discover(identity.eui, url, tls);
  const socket = await openSocket(uri, tls);
  const send = (message: Parameters<typeof stationJson>[0]): void =>
    socket.send(stationJson(message));
  const ended = new Promise<number>((resolve) => socket.once('close', resolve));
  const configured = new Promise<z.infer<typeof Config>>((resolve) => {
    socket.on('message', (data: Buffer) => {
      const message = Typed.parse(parseStationJson(data.toString()));
      if (message.msgtype === 'router_config') resolve(Config.parse(message));
      if (message.msgtype !== 'dnmsg') return;
      const { diid, pdu, DevEui, xtime, rctx } = Downlink.parse(message);
      onDownlink(Buffer.from(pdu, 'hex'));
      const when = { xtime, rctx, txtime: 0, gpstime: 0 };
      send({ msgtype: 'dntxed', diid, DevEui, ...when });
    });
  });
  send({ msgtype: 'version', station: '2.0.6', protocol: 2, features: '' });
  let xtime = FIRST_XTIME;
  const config = await configured;
  return {
    config,
    hear: (phyPayload, { dataRate, frequencyHz, rssi, snr }) => {
      if (!isForwarded(phyPayload, config.NetID ?? undefined)) return;
      xtime += 1_000_001n;
      const upinfo = { rctx: 0, xtime, gpstime: 0, rssi, snr };
      send({ ...takenApart(phyPayload), DR: dataRate, Freq: frequencyHz, upinfo });
    },
    ended,
    stop: async () => {
      socket.close();
      await ended;
    },
  };
}

type Tls = { readonly cert: string; readonly key: string; readonly ca: string };

async function openSocket(uri: string, tls: Tls): Promise<WebSocket> {
  const socket = new WebSocket(uri, { ...tls, perMessageDeflate: false });
  await once(socket, 'open');
  socket.on('error', () => undefined); // what follows is the close, which is waited for
  return socket;
}

async function discover(eui: string, url: string, tls: Tls): Promise<string> {
  const socket = await openSocket(`${url}/router-info`, tls);
  const answered = once(socket, 'message');
  socket.send(stationJson({ router: id6Of(eui) }));
  const [data] = await answered;
  socket.close();
  const { uri, error } = RouterInfo.parse(JSON.parse(String(data)));
  if (uri === undefined) throw new Error(`the network server refuses gateway ${eui}: ${error}`);
  return uri;
}

/** Of a NetID that DevAddrs of type 0 begin with, stations look at the 7 bits that are left of it there. */
const isForwarded = (bytes: Buffer, netIds: readonly number[] | undefined): boolean =>
  netIds === undefined ||
  mTypeOf(bytes.readUInt8(0)) === 'JoinRequest' ||
  netIds.some((netId) => (netId & 0x7f) === bytes.readUInt32LE(1) >>> 25);

/** Stations hand over join-requests and data frames field by field, words of 32 bits with a sign. */
function takenApart(bytes: Buffer) {
  const MHdr = bytes.readUInt8(0);
  const MIC = bytes.readInt32LE(bytes.length - 4);
  if (mTypeOf(MHdr) === 'JoinRequest') {
    return {
      msgtype: 'jreq',
      MHdr,
      JoinEui: dashedEui(reversedHex(bytes.subarray(1, 9))),
      DevEui: dashedEui(reversedHex(bytes.subarray(9, 17))),
      DevNonce: bytes.readUInt16LE(17),
      MIC,
    };
  }
  const FCtrl = bytes.readUInt8(5);
  const afterOptions = 8 + (FCtrl & 0x0f);
  const body = bytes.subarray(afterOptions, -4);
  return {
    msgtype: 'updf',
    MHdr,
    DevAddr: bytes.readInt32LE(1),
    FCtrl,
    FCnt: bytes.readUInt16LE(6),
    FOpts: bytes.subarray(8, afterOptions).toString('hex'),
    FPort: body[0] ?? -1,
    FRMPayload: body.subarray(1).toString('hex'),
    MIC,
  };
}
