/** What a device has asked or told by MAC commands, as far as this network deals with it. */
export type MacCommand =
  | { readonly kind: 'LinkCheckReq' }
  | { readonly kind: 'DeviceTimeReq' }
  | {
      readonly kind: 'DevStatusAns';
      /** 0 external power, 1 to 254 the level, 255 unknown. */
      readonly battery: number;
      /** SNR of the last DevStatusReq, -32 to 31 dB. */
      readonly margin: number;
    }
  | { readonly kind: 'ignored'; readonly name: string };

/** Commands that a device sends: name and bytes after the CID. @see LoRaWAN 1.0.3, 5 and 14 */
const FROM_DEVICES: ReadonlyMap<number, readonly [name: string, bytes: number]> = new Map([
  [0x02, ['LinkCheckReq', 0]],
  [0x03, ['LinkADRAns', 1]],
  [0x04, ['DutyCycleAns', 0]],
  [0x05, ['RXParamSetupAns', 1]],
  [0x06, ['DevStatusAns', 2]],
  [0x07, ['NewChannelAns', 1]],
  [0x08, ['RXTimingSetupAns', 0]],
  [0x09, ['TxParamSetupAns', 0]],
  [0x0a, ['DlChannelAns', 1]],
  [0x0d, ['DeviceTimeReq', 0]],
  [0x10, ['PingSlotInfoReq', 1]],
  [0x11, ['PingSlotChannelAns', 1]],
  [0x12, ['BeaconTimingReq', 0]],
  [0x13, ['BeaconFreqAns', 1]],
]);

/** Reads commands up to the first whose length nobody knows, as the specification has it. */
export function parseMacCommands(bytes: Uint8Array): MacCommand[] {
  const found: MacCommand[] = [];
  for (let at = 0; at < bytes.length; ) {
    const known = FROM_DEVICES.get(bytes[at] ?? 0);
    if (known === undefined) break;
    const [name, length] = known;
    if (at + 1 + length > bytes.length) break;
    found.push(commandOf(name, Buffer.from(bytes).subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
  return found;
}

function commandOf(name: string, parameters: Buffer): MacCommand {
  if (name === 'LinkCheckReq' || name === 'DeviceTimeReq') return { kind: name };
  if (name !== 'DevStatusAns') return { kind: 'ignored', name };
  const margin = parameters.readUInt8(1) & 0x3f;
  return {
    kind: 'DevStatusAns',
    battery: parameters.readUInt8(0),
    margin: margin > 31 ? margin - 64 : margin,
  };
}

/** @param marginDb  of the uplink above the demodulation floor; 0 to 254 */
export const linkCheckAnswer = (marginDb: number, gatewayCount: number): Buffer =>
  Buffer.of(0x02, clamp(marginDb, 254), clamp(gatewayCount, 255));

const clamp = (value: number, most: number): number =>
  Math.max(0, Math.min(most, Math.floor(value)));

const GPS_EPOCH_MS = Date.UTC(1980, 0, 6);
/** GPS time has had no leap seconds since 1980; UTC has had these. */
const LEAP_SECONDS = 18;

/** Seconds since 1980-01-06, as GPS counts. @param nowMs  milliseconds since the Unix epoch */
export const gpsSeconds = (nowMs: number): number => (nowMs - GPS_EPOCH_MS) / 1000 + LEAP_SECONDS;

/** @param uplinkEndedMs  when the uplink that asked was over */
export function deviceTimeAnswer(uplinkEndedMs: number): Buffer {
  const seconds = gpsSeconds(uplinkEndedMs);
  const whole = Math.floor(seconds);
  const answer = Buffer.alloc(6);
  answer.writeUInt8(0x0d, 0);
  answer.writeUInt32LE(whole % 2 ** 32, 1);
  answer.writeUInt8(Math.floor((seconds - whole) * 256), 5);
  return answer;
}
