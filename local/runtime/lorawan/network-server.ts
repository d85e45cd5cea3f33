import type { Log } from '../../core/log.ts';
import { FrameFault } from '../../core/lorawan/fault.ts';
import { type JoinRequestFrame, parseUplink, type UplinkFrame } from '../../core/lorawan/frame.ts';
import { type MacCommand, parseMacCommands } from '../../core/lorawan/mac-commands.ts';
import { type Region, regionOf } from '../../core/lorawan/region.ts';
import type { Timer } from '../../stores/timer.ts';
import { acceptJoin } from './activation.ts';
import { createDeduplication } from './deduplication.ts';
import { acknowledge, composeDownlink, MAX_ATTEMPTS } from './downlink.ts';
import type { Heard, OutgoingUplink, Reception, WirelessDevice, WirelessGateway } from './model.ts';
import type { LorawanStore } from './store.ts';
import { createTransmission } from './transmission.ts';
import { type OpenedUplink, openUplink } from './uplink.ts';
import { type UplinkEvent, type UplinkExtras, uplinkEvent } from './uplink-event.ts';

export interface NetworkServerOptions {
  readonly store: LorawanStore;
  /** Hands an uplink to the device's destination; never rejects. */
  readonly publishUplink: (destinationName: string, event: UplinkEvent) => Promise<void>;
  /** Publishes a notification on a reserved topic; never rejects. */
  readonly publishEvent: (topic: string, body: object) => Promise<void>;
  /** What the device's service profile says of uplinks. */
  readonly extrasOf: (device: WirelessDevice) => UplinkExtras;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly timer: Timer;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly uuid: () => string;
  readonly log: Log;
  readonly windowMs?: number;
}

export interface NetworkServer {
  /** Hands on what an earlier process took in and did not come to hand on. */
  readonly resume: () => void;
  /** Takes what a gateway heard. */
  readonly receive: (reception: Reception) => void;
  /** Tells that a gateway has come or gone. */
  readonly connection: (gateway: WirelessGateway, state: 'connected' | 'disconnected') => void;
  /** Whether the gateway is connected now. */
  readonly isConnected: (gatewayId: string) => boolean;
  readonly counters: () => Readonly<Record<string, number>>;
  /** Resolves when all that was taken in has been handed on. */
  readonly idle: () => Promise<void>;
  readonly stop: () => void;
}

/** Long enough for gateways to answer each other's frame, short enough for RX1. */
const WINDOW_MS = 200;
const MAX_WAITING = 1000;
const EVENTS = '$aws/iotwireless/events';

/** A network server of LoRaWAN 1.0.x for class A devices, with AWS IoT Core for LoRaWAN's outside. */
export function createNetworkServer(options: NetworkServerOptions): NetworkServer {
  const { store, publishUplink, publishEvent, extrasOf, now, timer, random, uuid, log } = options;
  const counters: Record<string, number> = {};
  const connected = new Set<string>();
  const underway = new Set<Promise<unknown>>();

  const keep = (work: Promise<unknown>): void => {
    const watched = work
      .catch((error: unknown) => {
        log({ level: 'error', source: 'lorawan', message: 'a frame was not dealt with', error });
      })
      .finally(() => underway.delete(watched));
    underway.add(watched);
  };

  const count = (what: string): void => {
    counters[what] = (counters[what] ?? 0) + 1;
  };

  const refuse = (reason: string, explanation: string, details: Record<string, unknown>): void => {
    count(reason);
    log({
      level: 'warn',
      source: 'lorawan',
      message: `refused: ${explanation}`,
      reason,
      ...details,
    });
  };

  const transmission = createTransmission({ store, count, log });

  const joinEvent = (eventType: string, device: WirelessDevice, more: object): void => {
    const topic = `${EVENTS}/join/${eventType}/lorawan/wireless_devices`;
    const LoRaWAN = { DevEui: device.devEui, ...more };
    const body = {
      eventId: uuid(),
      eventType,
      WirelessDeviceId: device.id,
      timestamp: now(),
      LoRaWAN,
    };
    keep(publishEvent(topic, body));
  };

  const join = (request: JoinRequestFrame, heard: Heard): void => {
    const [best] = heard;
    const region = regionOf(best.region);
    const subBand = store.gatewayByEui(best.gatewayEui)?.subBand ?? 2;
    const known = store.deviceByEui(request.devEui);
    if (known !== undefined) joinEvent('join_req_received', known, { JoinEui: request.joinEui });
    const verdict = acceptJoin(known, request, { region, subBand, devAddr: freeAddress() });
    if (!verdict.ok) {
      refuse(verdict.reason, verdict.explanation, { devEui: request.devEui });
      return;
    }
    const { device, accept } = verdict;
    store.putDevice(device);
    count('JOIN');
    const devAddr = device.joining?.devAddr;
    log({ level: 'info', source: 'lorawan', message: 'joined', devEui: device.devEui, devAddr });
    keep(transmission.acceptJoin(device, heard, region, accept));
    joinEvent('join_accepted', device, { JoinEui: request.joinEui, DevAddr: devAddr });
  };

  /** 25 bits under NetID 0, which nobody has or has had just now. */
  const freeAddress = (): string => {
    for (;;) {
      const devAddr = Math.floor(random() * 2 ** 25)
        .toString(16)
        .padStart(8, '0');
      if (store.devicesByAddress(devAddr).length === 0) return devAddr;
    }
  };

  const data = (frame: UplinkFrame, heard: Heard): void => {
    const region = regionOf(heard[0].region);
    const verdict = openUplink(frame, store.devicesByAddress(frame.devAddr));
    if (verdict.kind === 'refused') {
      const { reason, explanation, deviceId } = verdict;
      refuse(reason, explanation, { devAddr: frame.devAddr, deviceId });
      return;
    }
    if (verdict.kind === 'repeated') {
      count('REPEATED');
      if (frame.type !== 'ConfirmedDataUp') return;
      reply(verdict.device, { frame, session: verdict.session, commands: [], heard, region });
      return;
    }
    deliver(verdict, frame, heard, region);
  };

  const deliver = (
    opened: OpenedUplink,
    frame: UplinkFrame,
    heard: Heard,
    region: Region,
  ): void => {
    count('UPLINK');
    const commands = parseMacCommands(frame.fPort === 0 ? opened.payload : frame.fOpts);
    const { device: acked, ackedMessageId } = acknowledge(opened.device, frame.control.ack);
    const told = withStatus(acked, commands);
    const extras = extrasOf(told);
    const event = uplinkEvent({ ...opened, device: told }, frame, heard, {
      region,
      extras,
      ackedMessageId,
    });
    const device = {
      ...told,
      lastUplink: { atMs: now(), loRaWAN: { ...event.WirelessMetadata.LoRaWAN } },
    };
    const uplink = { id: uuid(), destinationName: device.destinationName, event };
    store.putDevice(device, uplink);
    for (const { gatewayEui } of heard) {
      const gateway = store.gatewayByEui(gatewayEui);
      if (gateway !== undefined) store.putGateway({ ...gateway, lastUplinkAtMs: now() });
    }
    keep(handOn(uplink));
    reply(device, { frame, session: opened.session, commands, heard, region });
  };

  /** At least once: after a crash in between it is handed on again, as the frame that it was. */
  const handOn = async ({ id, destinationName, event }: OutgoingUplink): Promise<void> => {
    await publishUplink(destinationName, event);
    store.handedOn(id);
  };

  const reply = (device: WirelessDevice, occasion: Parameters<typeof composeDownlink>[1]): void => {
    const composed = composeDownlink(device, occasion);
    if (composed === undefined) {
      tellOfWaiting(device);
      return;
    }
    store.putDevice(composed.device);
    const { message } = composed;
    if (message?.confirmed === true && message.sent + 1 >= MAX_ATTEMPTS)
      log({
        level: 'warn',
        source: 'lorawan',
        message: `downlink ${message.messageId} goes out for the last of ${MAX_ATTEMPTS} times`,
        devEui: device.devEui,
      });
    const { heard, region } = occasion;
    keep(transmission.answer(device, heard, region, composed));
  };

  const tellOfWaiting = ({ queue, devEui }: WirelessDevice): void => {
    const [first] = queue;
    if (first === undefined) return;
    const message = `downlink ${first.messageId} waits: it is longer than the device's data rate allows`;
    log({ level: 'warn', source: 'lorawan', message, devEui });
  };

  const deduplication = createDeduplication({
    windowMs: options.windowMs ?? WINDOW_MS,
    capacity: MAX_WAITING,
    timer,
    refuse: ({ gatewayEui }, why) => refuse('OVERLOAD', why, { gatewayEui }),
    deliver: (heard) => {
      try {
        const frame = parseUplink(heard[0].phyPayload);
        if (frame.type === 'JoinRequest') join(frame, heard);
        else data(frame, heard);
      } catch (error) {
        if (!(error instanceof FrameFault)) throw error;
        refuse('FRAME', error.message, { gatewayEui: heard[0].gatewayEui });
      }
    },
  });

  return {
    resume: () => {
      for (const uplink of store.waitingUplinks()) keep(handOn(uplink));
    },
    receive: deduplication.receive,
    connection(gateway, state) {
      if (state === 'connected') connected.add(gateway.id);
      else connected.delete(gateway.id);
      const topic = `${EVENTS}/connection_status/${state}/lorawan/wireless_gateways`;
      const about = { WirelessGatewayId: gateway.id, LoRaWAN: { GatewayEui: gateway.eui } };
      keep(publishEvent(topic, { eventId: uuid(), eventType: state, ...about, timestamp: now() }));
      log({
        level: 'info',
        source: 'lorawan',
        message: `gateway ${state}`,
        gatewayEui: gateway.eui,
      });
    },
    isConnected: (gatewayId) => connected.has(gatewayId),
    counters: () => ({ ...counters }),
    idle: async () => {
      while (underway.size > 0) await Promise.all(underway);
    },
    stop: deduplication.stop,
  };
}

function withStatus(device: WirelessDevice, commands: readonly MacCommand[]): WirelessDevice {
  const answer = commands.findLast((command) => command.kind === 'DevStatusAns');
  return answer === undefined
    ? device
    : { ...device, status: { battery: answer.battery, margin: answer.margin } };
}
