import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';

const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'] as const;

/** Whether the client asks for MQTT, as it must [MQTT-6.0.0-3]. */
export const asksForMqtt = ({ headers }: IncomingMessage): boolean =>
  (headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .some((each) => SUBPROTOCOLS.some((known) => known === each.trim()));

/** Frames may be as large as some MQTT packets; they are never compressed, so that none can be a bomb. */
const FRAME_BYTES = 256 * 1024;

export type Upgrade = (
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  use: (stream: Duplex) => void,
) => void;

/** @param onText  told when a client sends a text frame, which ends the connection [MQTT-6.0.0-1] */
export function createUpgrade(onText: (request: IncomingMessage) => void): Upgrade {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES,
    handleProtocols: (offered) => SUBPROTOCOLS.find((each) => offered.has(each)) ?? false,
  });
  return (request, socket, head, use) =>
    server.handleUpgrade(request, socket, head, (webSocket) =>
      use(streamOf(webSocket, () => onText(request))),
    );
}

const UNSUPPORTED_DATA = 1003;
const NORMAL = 1000;

const bytesOf = (data: RawData): Buffer => {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
};

/** The payloads of binary frames as one stream of bytes: MQTT packets may straddle them [MQTT-6.0.0-2]. */
function streamOf(webSocket: WebSocket, onText: () => void): Duplex {
  const send = (bytes: Buffer, done: (error?: Error | null) => void): void => {
    if (webSocket.readyState === webSocket.OPEN) webSocket.send(bytes, done);
    else done();
  };
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => webSocket.resume(),
    write: (chunk: Buffer, _, done) => send(chunk, done),
    writev: (chunks, done) => send(Buffer.concat(chunks.map(({ chunk }) => chunk)), done),
    final: (done) => {
      webSocket.close(NORMAL);
      done();
    },
    destroy: (error, done) => {
      webSocket.terminate();
      done(error);
    },
  });
  webSocket.on('message', (data, isBinary) => {
    if (stream.destroyed) return;
    if (isBinary) {
      if (!stream.push(bytesOf(data))) webSocket.pause();
      return;
    }
    onText();
    webSocket.close(UNSUPPORTED_DATA, 'MQTT takes binary frames');
    stream.push(null);
  });
  webSocket.on('error', () => stream.destroy());
  webSocket.on('close', () => {
    if (!stream.readableEnded) stream.push(null);
    stream.destroy();
  });
  return stream;
}
