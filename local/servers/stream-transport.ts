import type { Duplex } from 'node:stream';
import type { Broker } from '../core/mqtt/broker.ts';
import type { Timers } from '../core/mqtt/broker-state.ts';
import type { Peer, Transport } from '../core/mqtt/connection.ts';

/** After our end of the stream is closed, the peer has this long to close its own. */
const LINGER_MS = 2000;

interface Flow {
  /** The broker has enough in its hands. */
  held: boolean;
  /** The peer does not read what it is sent. */
  clogged: boolean;
}

/** Bytes of one turn of the event loop leave in one write: TLS costs by the record. */
function gatheredWrites(stream: Duplex): (bytes: Buffer) => void {
  let corked = false;
  const uncork = (): void => {
    corked = false;
    stream.uncork();
  };
  return (bytes) => {
    if (!stream.writable) return;
    if (!corked) {
      corked = true;
      stream.cork();
      setImmediate(uncork);
    }
    stream.write(bytes);
  };
}

function endGently(stream: Duplex, timers: Timers): void {
  if (stream.destroyed) return;
  const cancel = timers(LINGER_MS, () => stream.destroy());
  stream.once('close', cancel);
  stream.end();
  stream.resume();
}

/**
 * Puts an authenticated byte stream under the broker: a TLS socket here, and whatever else carries MQTT
 * (a WebSocket's stream, say) the same way.
 *
 * @param highWaterBytes  unsent bytes above which the peer is not read from until they are gone
 */
export function connectStream(
  broker: Broker,
  stream: Duplex,
  peer: Peer,
  { timers, highWaterBytes }: { timers: Timers; highWaterBytes: number },
): void {
  const flow: Flow = { held: false, clogged: false };
  const steer = (): void => {
    if (flow.held || flow.clogged) stream.pause();
    else stream.resume();
  };
  const transport: Transport = {
    write: gatheredWrites(stream),
    get bufferedBytes() {
      return stream.writableLength;
    },
    pause() {
      flow.held = true;
      steer();
    },
    resume() {
      flow.held = false;
      steer();
    },
    end: () => endGently(stream, timers),
  };
  const connection = broker.accept(transport, peer);
  stream.on('data', (chunk: Buffer) => {
    connection.data(chunk);
    flow.clogged = stream.writableLength > highWaterBytes;
    if (flow.clogged) steer();
  });
  stream.on('drain', () => {
    connection.drained();
    flow.clogged = false;
    steer();
  });
  stream.on('end', () => connection.closed());
  stream.on('error', () => stream.destroy());
  stream.on('close', () => connection.closed());
}
