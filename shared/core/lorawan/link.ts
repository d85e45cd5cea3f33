import type { Reading } from '../reading.ts';
import type { Gateway, Uplink } from './uplink.ts';

type Link = NonNullable<Reading['link']>;

const BATTERY_UNKNOWN = 255;
const BATTERY_FULL = 254;

/** How well an uplink was heard, and what the device said of itself along with it. */
export function linkOf({ radio }: Uplink, lostUplinks: number | undefined): Link {
  const gateways = [...radio.gateways, ...radio.publicGateways];
  const best = gateways.reduce(louder, undefined);
  return withoutUndefined({
    gateway: best?.gatewayEui || best?.id || undefined,
    rssiDbm: best?.rssi,
    snrDb: best?.snr,
    gateways: gateways.length === 0 ? undefined : gateways.length,
    frequencyHz: radio.frequency,
    dataRate: radio.dataRate === '' ? undefined : radio.dataRate,
    spreadingFactor: (radio.spreadingFactor ?? 0) >= 5 ? radio.spreadingFactor : undefined,
    bandwidthKhz: radio.bandwidth,
    lostUplinks,
    marginDb: radio.margin,
    ...power(radio.battery),
  });
}

/** By signal strength, then by what stands out of the noise; a gateway that says nothing comes last. */
function louder(one: Gateway | undefined, other: Gateway): Gateway {
  if (one === undefined) return other;
  const [rssi, otherRssi] = [one.rssi ?? -Infinity, other.rssi ?? -Infinity];
  if (rssi !== otherRssi) return rssi > otherRssi ? one : other;
  return (one.snr ?? -Infinity) >= (other.snr ?? -Infinity) ? one : other;
}

/** @see LoRaWAN 1.0.4, section 5.5, DevStatusAns */
function power(battery: number | undefined): Pick<Link, 'batteryPercent' | 'externalPower'> {
  if (battery === undefined || battery === BATTERY_UNKNOWN) return {};
  if (battery === 0) return { externalPower: true };
  return { batteryPercent: Math.round((battery / BATTERY_FULL) * 1000) / 10, externalPower: false };
}

const withoutUndefined = (link: { readonly [Key in keyof Link]?: Link[Key] | undefined }): Link =>
  Object.fromEntries(Object.entries(link).filter(([, value]) => value !== undefined));
