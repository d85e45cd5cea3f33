/** First byte: protocol and counter; second: what happened. */
function decodeUplink({ bytes }) {
  if (bytes.length < 3) return { errors: [`${bytes.length} bytes are too few, wants 3 or more`] };
  const read = MESSAGES[bytes[1]];
  if (read === undefined) return { errors: [`message type ${bytes[1]} is unknown`] };
  if (bytes.length < read.size) {
    return {
      errors: [`${bytes.length} bytes are too few for type ${bytes[1]}, wants ${read.size}`],
    };
  }
  return { data: { protocol: bytes[0] >> 4, counter: bytes[0] & 15, ...read.as(bytes) } };
}

const flag = (byte, bit) => ((byte >> bit) & 1) === 1;

const MESSAGES = {
  0: {
    size: 6,
    as: ([, , device, hardware, high, low]) => ({
      event: 'reset',
      deviceType: device,
      hardware: `${hardware >> 4}.${hardware & 15}`,
      firmware: firmwareOf(high, low),
    }),
  },
  1: {
    size: 5,
    as: ([, , state, , battery, , , , , high, low]) => ({
      event: 'supervisory',
      tamperedSinceReset: flag(state, 3),
      tampered: flag(state, 2),
      batteryLow: flag(state, 1),
      radioFailed: flag(state, 0),
      battery: { value: (battery >> 4) + (battery & 15) / 10, unit: 'V' },
      ...(low !== undefined && { events: high * 256 + low }),
    }),
  },
  2: { size: 3, as: ([, , state]) => ({ event: 'tamper', tampered: state === 0 }) },
  3: { size: 3, as: ([, , state]) => ({ event: 'door', open: state === 1 }) },
  251: {
    size: 5,
    as: ([, , subBand, rssi, snr]) => ({
      event: 'link',
      subBand,
      rssi: { value: rssi > 127 ? rssi - 256 : rssi, unit: 'dBm' },
      snr: { value: snr > 127 ? snr - 256 : snr, unit: 'dB' },
    }),
  },
  252: { size: 3, as: () => ({ event: 'rateLimit' }) },
  253: { size: 3, as: () => ({ event: 'test' }) },
  255: { size: 3, as: ([, , state]) => ({ event: 'downlink', valid: state !== 1 }) },
};

/** Two formats, told apart by the highest bit. */
function firmwareOf(high, low) {
  if (!flag(high, 7)) return `${high}.${low}`;
  return `${(high >> 2) & 31}.${((high & 3) << 3) | (low >> 5)}.${low & 31}`;
}
