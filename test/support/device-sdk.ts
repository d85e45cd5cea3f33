import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

/** One connection by AWS's own device SDK: its defaults, parameters appended to the user name. */
export interface SdkAttempt {
  /** Of MQTT: 5 unless told, 4 is 3.1.1. */
  readonly version?: 4 | 5;
  readonly way: 'certificate' | 'sigv4' | 'customDirect' | 'customWebsocket';
  readonly port: number;
  readonly caPem: string;
  readonly clientId: string;
  /** Subscribed to and published to with QoS 1, once connected. */
  readonly topic: string;
  readonly certificatePem?: string;
  readonly privateKeyPem?: string;
  readonly region?: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  readonly custom?: {
    readonly authorizerName?: string;
    readonly username?: string;
    readonly tokenKeyName?: string;
    readonly tokenValue?: string;
    readonly tokenSignature?: string;
  };
  readonly password?: string;
}

export type SdkOutcome =
  | { readonly connected: true; readonly payload: string }
  | { readonly connected: false; readonly error: string; readonly reasonCode?: number };

export interface SdkCall {
  readonly id: number;
  readonly attempt: SdkAttempt;
}

/** The SDK in a process of its own: its native threads outlive its clients by ten seconds. */
export function openSdk() {
  let child: ChildProcess | undefined;
  let count = 0;
  return {
    attempt(attempt: SdkAttempt): Promise<SdkOutcome> {
      // without its remarks on ports other than 443
      child ??= fork(join(import.meta.dirname, 'device-sdk-process.ts'), {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      const running = child;
      count += 1;
      const id = count;
      return new Promise((resolve) => {
        const onMessage = (answer: { id: number; outcome: SdkOutcome }): void => {
          if (answer.id !== id) return;
          running.off('message', onMessage);
          resolve(answer.outcome);
        };
        running.on('message', onMessage);
        running.send({ id, attempt } satisfies SdkCall);
      });
    },
    close: (): void => void child?.kill(),
  };
}
