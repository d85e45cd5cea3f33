import { setTimeout as delay } from 'node:timers/promises';
import { createLorawanDevice, type Received } from '../local/fleet/lorawan-device.ts';
import { nonceCounter } from '../local/fleet/lorawan-fleet.ts';
import { connectStation, type Hearing } from '../local/fleet/lorawan-station.ts';
import { FailedError, type Terminal } from './command.ts';
import { stationOf } from './lorawan-desk.ts';
import { downlink } from './lorawan-downlink.ts';
import { type Asked, deskOf, frameOf, isData, tell } from './lorawan-words.ts';
import type { Target } from './target.ts';

/** Lets a device join and send, through a simulated gateway of the laptop; what is JSON goes to the device instead. */
export async function send(find: () => Target, asked: Asked, terminal: Terminal): Promise<void> {
  if (isData(asked)) {
    await downlink(find, asked, terminal);
    return;
  }
  const { name, payload, fPort } = frameOf(asked);
  const target = find();
  if (target.kind !== 'laptop')
    throw new FailedError('Frames are simulated on the laptop only; AWS hears real gateways.');
  const { values } = asked;
  const desk = deskOf(target);
  const { identity, isNew } = await desk.addDevice(name);
  const { 'rf-region': rfRegion, gateway: gatewayName = ownGateway(rfRegion) } = values;
  const { gateway } = await desk.addGateway(gatewayName, rfRegion);
  const hearing = HEARINGS[rfRegion] ?? HEARINGS.EU868;
  const endpoint = await desk.endpoint();
  const device = createLorawanDevice(identity, nonceCounter(Date.now()));
  const inbox: Buffer[] = [];
  const station = await connectStation(stationOf(gateway, endpoint), endpoint.url, (bytes) =>
    inbox.push(bytes),
  );
  try {
    station.hear(device.joinRequest(), hearing);
    const accept = await downlinkWithin(inbox, JOIN_MS);
    if (accept === undefined)
      throw new FailedError(`${name} was not let in; the laptop's log says why.`);
    device.acceptJoin(accept);
    station.hear(device.uplink(fPort, payload, values.confirmed), hearing);
    const answer = await downlinkWithin(inbox, ANSWER_MS);
    const received = answer && device.receive(answer);
    const told = { name, fPort, payload: payload.toString('hex'), received: shown(received) };
    const heard =
      received === undefined ? '' : `\n  it answered: ${JSON.stringify(shown(received))}`;
    tell(
      terminal,
      values,
      told,
      `${name} has joined and sent ${payload.length} ${payload.length === 1 ? 'byte' : 'bytes'} on port ${fPort}.${isNew ? NEW : ''}${heard}`,
    );
  } finally {
    await station.stop();
  }
}

const NEW = `
  It was not known and is registered now; what decodes it: npm run lorawan -- add device <name> --codec <name> --fleet <name>`;

/** Ordinary data rates on ordinary channels. */
const HEARINGS: Readonly<Record<string, Hearing>> & Readonly<Record<'EU868', Hearing>> = {
  EU868: { dataRate: 5, frequencyHz: 868_100_000, rssi: -71, snr: 8.25 },
  US915: { dataRate: 3, frequencyHz: 903_900_000, rssi: -71, snr: 8.25 },
};
/** The gateway that frames are heard by where none is named; made when it is first needed. */
const ownGateway = (rfRegion: string): string => `simulated-${rfRegion.toLowerCase()}`;
const JOIN_MS = 3000;
const ANSWER_MS = 1000;
const LOOK_MS = 20;

async function downlinkWithin(inbox: Buffer[], ms: number): Promise<Buffer | undefined> {
  for (let waited = 0; waited < ms && inbox.length === 0; waited += LOOK_MS) await delay(LOOK_MS);
  return inbox.shift();
}

const shown = (received: Received | undefined) =>
  received && { ...received, payload: received.payload.toString('hex') };
