import type { BrokerState } from './broker-state.ts';
import { closeConnection, expel } from './close.ts';
import type { Client, Connection } from './connection.ts';
import { keepAliveTimeoutMs } from './limits.ts';
import { Reason } from './reason.ts';

/** Gives the client the time its keep-alive allows; one timer a connection, however much it sends. */
export function watchKeepAlive(broker: BrokerState, connection: Connection, client: Client): void {
  const timeoutMs = keepAliveTimeoutMs(client.keepAliveSeconds);
  const check = (): void => {
    // while the broker itself does not read, silence is not the client's
    if (connection.paused) connection.heardAtMs = broker.now();
    const leftMs = connection.heardAtMs + timeoutMs - broker.now();
    if (leftMs > 0) connection.cancelTimer = broker.timers(leftMs, check);
    else {
      const code = Reason.keepAliveTimeout;
      closeConnection(broker, connection, { reason: 'MQTT_KEEP_ALIVE_TIMEOUT', code });
    }
  };
  connection.cancelTimer();
  connection.cancelTimer = broker.timers(timeoutMs, check);
}

/** A peer that has not finished its CONNECT by then is let go, however slowly it goes on sending. */
export function watchConnect(broker: BrokerState, connection: Connection): void {
  const { connectSeconds } = broker.limits;
  connection.cancelTimer = broker.timers(connectSeconds * 1000, () => {
    const explanation = `sent no whole CONNECT within ${connectSeconds} s`;
    expel(broker, connection, Reason.protocolError, explanation);
  });
}
