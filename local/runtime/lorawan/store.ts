import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { openEventLog } from '../../stores/event-log.ts';
import { OutgoingUplink, WirelessDevice, WirelessGateway } from './model.ts';

const Event = z.union([
  z.object({ device: WirelessDevice, uplink: OutgoingUplink.optional() }),
  z.object({ uplink: OutgoingUplink }),
  z.object({ handedOn: z.string() }),
  z.object({ gateway: WirelessGateway }),
  z.object({ removed: z.string() }),
]);
type Event = z.infer<typeof Event>;

/** Devices and gateways of the network, by their AWS ids. */
export interface LorawanStore {
  readonly devices: () => WirelessDevice[];
  readonly device: (id: string) => WirelessDevice | undefined;
  readonly deviceByEui: (devEui: string) => WirelessDevice | undefined;
  /** Those with a session, old or new, under this address. */
  readonly devicesByAddress: (devAddr: string) => WirelessDevice[];
  /**
   * On disk when it returns: the device, and the uplink that brought it there, in one piece.
   *
   * @param uplink  waits from here on, over restarts, until it is said to be handed on
   */
  readonly putDevice: (device: WirelessDevice, uplink?: OutgoingUplink) => void;
  readonly waitingUplinks: () => OutgoingUplink[];
  readonly handedOn: (uplinkId: string) => void;
  readonly gateways: () => WirelessGateway[];
  readonly gateway: (id: string) => WirelessGateway | undefined;
  readonly gatewayByEui: (eui: string) => WirelessGateway | undefined;
  readonly putGateway: (gateway: WirelessGateway) => void;
  /** Removes a device or gateway. @returns whether there was one */
  readonly remove: (id: string) => boolean;
  readonly close: () => void;
}

/** So many lines more than there are things, and the file is written anew. */
const SLACK_LINES = 2000;

/**
 * @param directory  where `lorawan.jsonl` is, readable by its owner only, as it holds keys; memory only without
 * @throws {Error} naming file and line where the file is not such a log
 */
export function createLorawanStore(directory?: string): LorawanStore {
  const devices = new Map<string, WirelessDevice>();
  const gateways = new Map<string, WirelessGateway>();
  const uplinks = new Map<string, OutgoingUplink>();
  const apply = (event: Event): void => {
    if ('device' in event) devices.set(event.device.id, event.device);
    if ('uplink' in event && event.uplink !== undefined) uplinks.set(event.uplink.id, event.uplink);
    if ('handedOn' in event) uplinks.delete(event.handedOn);
    if ('gateway' in event) gateways.set(event.gateway.id, event.gateway);
    if ('removed' in event) {
      devices.delete(event.removed);
      gateways.delete(event.removed);
    }
  };
  const log = directory === undefined ? undefined : openLog(directory, apply);
  let lines = log?.lines ?? 0;

  const current = (): Event[] => [
    ...[...gateways.values()].map((gateway) => ({ gateway })),
    ...[...devices.values()].map((device) => ({ device })),
    ...[...uplinks.values()].map((uplink) => ({ uplink })),
  ];
  const record = (event: Event): void => {
    log?.log.append(event);
    apply(event);
    lines += 1;
    const things = devices.size + gateways.size + uplinks.size;
    if (lines <= things + SLACK_LINES) return;
    log?.log.rewrite(current());
    lines = things;
  };

  return {
    devices: () => [...devices.values()],
    device: (id) => devices.get(id),
    deviceByEui: (devEui) => devices.values().find((device) => device.devEui === devEui),
    devicesByAddress: (devAddr) =>
      [...devices.values()].filter(
        ({ session, joining }) => session?.devAddr === devAddr || joining?.devAddr === devAddr,
      ),
    putDevice: (device, uplink) => record({ device, ...(uplink !== undefined && { uplink }) }),
    waitingUplinks: () => [...uplinks.values()],
    handedOn: (uplinkId) => record({ handedOn: uplinkId }),
    gateways: () => [...gateways.values()],
    gateway: (id) => gateways.get(id),
    gatewayByEui: (eui) => gateways.values().find((gateway) => gateway.eui === eui),
    putGateway: (gateway) => record({ gateway }),
    remove: (id) => {
      const known = devices.has(id) || gateways.has(id);
      if (known) record({ removed: id });
      return known;
    },
    close: () => log?.log.close(),
  };
}

function openLog(directory: string, apply: (event: Event) => void) {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'lorawan.jsonl');
  const { log, events } = openEventLog(path, (value) => Event.parse(value));
  for (const event of events) apply(event);
  return { log, lines: events.length };
}
