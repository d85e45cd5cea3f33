import type { Access } from './access.ts';
import type { Decoder } from './codec.ts';
import type { Framer } from './framer.ts';
import type { Message } from './message.ts';
import type { RateWindow } from './rate.ts';
import type { Session } from './session.ts';
import type { ProtocolVersion } from './structure.ts';

export type TransportProtocol = 'mqtt' | 'wss';

/** The byte stream under a connection; the broker writes and never waits. */
export interface Transport {
  write(bytes: Buffer): void;
  /** Bytes written and not yet taken by the network. */
  readonly bufferedBytes: number;
  pause(): void;
  resume(): void;
  /** Sends what is buffered, then closes. */
  end(): void;
}

/** What a CONNECT carries of credentials. */
export interface Login {
  readonly clientId: string;
  readonly username?: string;
  readonly password?: Buffer;
}

/** Who is at the other end, as the transport has authenticated it. */
export interface Peer {
  readonly protocol: TransportProtocol;
  /** Certificate id for X.509; what `principal()` and the lifecycle events show. */
  readonly principal: string;
  readonly sourceIp: string;
  /** The rights this peer has under a client id. */
  accessFor(clientId: string): Access;
  /**
   * Set where the credentials come with the CONNECT: who it is after all, or undefined for nobody, of which the
   * operator has been told by then.
   */
  readonly authenticate?: (login: Login) => Promise<Peer | undefined>;
}

export interface Will {
  readonly message: Message;
  readonly delaySeconds: number;
  readonly expirySeconds?: number;
}

/** What is known since CONNECT was accepted. */
export interface Client {
  readonly id: string;
  readonly version: ProtocolVersion;
  readonly access: Access;
  readonly session: Session;
  readonly keepAliveSeconds: number;
  /** Most QoS 1 messages this client takes unacknowledged. */
  readonly receiveMaximum: number;
  /** Largest packet this client takes. */
  readonly packetBytes: number;
  /** `versionNumber` of its lifecycle events. */
  readonly presenceVersion: number;
  readonly topicAliases: Map<number, string>;
  readonly rate: RateWindow;
  will: Will | undefined;
  /** QoS 1 messages received whose PUBACK is still to come. */
  unacknowledged: number;
  /** QoS 0 messages dropped since the last time that was logged. */
  dropped: number;
}

/** One network connection. */
export interface Connection {
  /** `sessionIdentifier` of its lifecycle events. */
  readonly id: string;
  /** Another one once the CONNECT has told who it is. */
  peer: Peer;
  readonly transport: Transport;
  readonly framer: Framer;
  readonly decoder: Decoder;
  client: Client | undefined;
  closed: boolean;
  /** Its CONNECT waits for somebody to say who it is. */
  authenticating: boolean;
  paused: boolean;
  heardAtMs: number;
  /** Ends the CONNECT timeout, later the keep-alive timer. */
  cancelTimer: () => void;
}
