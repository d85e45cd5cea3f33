import type { Log } from '../../core/log.ts';
import type { Region } from '../../core/lorawan/region.ts';
import { JOIN_ACCEPT_DELAY_SECONDS, RX_DELAY_SECONDS } from './activation.ts';
import { type ComposedDownlink, MAX_ATTEMPTS } from './downlink.ts';
import type { Downlink, Heard, QueuedMessage, WirelessDevice } from './model.ts';
import type { LorawanStore } from './store.ts';

interface Options {
  readonly store: Pick<LorawanStore, 'device' | 'putDevice'>;
  readonly count: (what: string) => void;
  readonly log: Log;
}

/** Brings frames to devices, through the gateways that heard them. */
export function createTransmission({ store, count, log }: Options) {
  /** The last message to each device, by its id. */
  const lastSent = new Map<string, string>();

  /** Through the best gateway, and where it cannot, through the next. @returns whether one could */
  const send = async (heard: Heard, downlink: Downlink): Promise<boolean> => {
    for (const { gatewayEui, transmit } of heard) {
      const why = await transmit(downlink);
      const about = { gatewayEui, devEui: downlink.devEui };
      if (why === undefined) {
        count('DOWNLINK');
        log({ level: 'debug', source: 'lorawan', message: 'downlink sent', ...about });
        return true;
      }
      count('DOWNLINK_FAILED');
      log({ level: 'warn', source: 'lorawan', message: `downlink not sent: ${why}`, ...about });
    }
    return false;
  };

  /** A message that did not go on the air is the first of the queue again, unless a later one has gone out since. */
  const putBack = (deviceId: string, message: QueuedMessage): void => {
    const device = store.device(deviceId);
    const sent = message.sent + 1;
    if (device === undefined || message.confirmed || lastSent.get(deviceId) !== message.messageId)
      return;
    const goesOn = sent < MAX_ATTEMPTS;
    if (goesOn) store.putDevice({ ...device, queue: [{ ...message, sent }, ...device.queue] });
    const fate = goesOn ? 'waits for the next uplink' : `is given up after ${MAX_ATTEMPTS} times`;
    const told = `downlink ${message.messageId} did not go out, and ${fate}`;
    log({ level: 'warn', source: 'lorawan', message: told, devEui: device.devEui });
  };

  const windows = (heard: Heard, { rx1, rx2 }: Region) => ({ rx1: rx1(heard[0]), rx2 });

  return {
    async acceptJoin(
      { devEui }: WirelessDevice,
      heard: Heard,
      region: Region,
      phyPayload: Buffer,
    ): Promise<void> {
      const rxDelaySeconds = JOIN_ACCEPT_DELAY_SECONDS;
      await send(heard, { devEui, phyPayload, rxDelaySeconds, ...windows(heard, region) });
    },

    /** The answer to an uplink of the device. */
    async answer(
      { id, devEui }: WirelessDevice,
      heard: Heard,
      region: Region,
      { phyPayload, message }: Pick<ComposedDownlink, 'phyPayload' | 'message'>,
    ): Promise<void> {
      if (message !== undefined) lastSent.set(id, message.messageId);
      const rxDelaySeconds = RX_DELAY_SECONDS;
      const downlink = { devEui, phyPayload, rxDelaySeconds, ...windows(heard, region) };
      if (!(await send(heard, downlink)) && message !== undefined) putBack(id, message);
    },
  };
}
