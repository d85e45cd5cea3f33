/** Channel, type and value, again and again, big-endian. */
function decodeUplink({ bytes, fPort }) {
  if (fPort !== 10) return { errors: [`FPort ${fPort} is unknown, wants 10`] };
  const data = {};
  let at = 0;
  while (at < bytes.length) {
    const read = CHANNELS[bytes[at] * 256 + bytes[at + 1]];
    if (read === undefined)
      return { errors: [`bytes ${at} and ${at + 1} are no channel and type`] };
    if (at + 2 + read.size > bytes.length)
      return { errors: [`the channel at byte ${at} is cut off`] };
    let value = 0;
    for (let index = 0; index < read.size; index += 1) value = value * 256 + bytes[at + 2 + index];
    Object.assign(data, read.as(value));
    at += 2 + read.size;
  }
  return at === 0 ? { errors: ['there is no channel'] } : { data };
}

const signed = (value, bits) => (value >= 2 ** (bits - 1) ? value - 2 ** bits : value);
const milli = (word) => ({ value: signed(word, 16) / 1000, unit: 'g' });

const CHANNELS = {
  255: { size: 2, as: (word) => ({ battery: { value: word / 100, unit: 'V' } }) },
  186: { size: 2, as: (word) => ({ battery: { value: word / 1000, unit: 'V' } }) },
  256: { size: 1, as: (state) => ({ open: state === 255 }) },
  512: { size: 1, as: (state) => ({ light: state === 255 }) },
  871: { size: 2, as: (word) => ({ temperature: { value: signed(word, 16) / 10, unit: '°C' } }) },
  1128: { size: 1, as: (byte) => ({ humidity: { value: byte / 2, unit: '%' } }) },
  1282: { size: 2, as: (word) => ({ impact: milli(word) }) },
  1905: {
    size: 6,
    as: (value) => ({
      acceleration: {
        x: milli(Math.floor(value / 2 ** 32)),
        y: milli(Math.floor(value / 65536) % 65536),
        z: milli(value % 65536),
      },
    }),
  },
  2052: { size: 2, as: (word) => ({ openings: word }) },
  2304: { size: 1, as: (state) => ({ moisture: state === 255 }) },
  2560: { size: 1, as: (state) => ({ motion: state === 255 }) },
  2919: {
    size: 2,
    as: (word) => ({ processorTemperature: { value: signed(word, 16) / 10, unit: '°C' } }),
  },
  3072: { size: 1, as: (state) => ({ shocked: state === 255 }) },
  3332: { size: 2, as: (word) => ({ motions: word }) },
  3584: { size: 1, as: (state) => ({ externalInput: state === 255 }) },
  3844: { size: 2, as: (word) => ({ externalInputs: word }) },
  4098: { size: 1, as: (level) => ({ lightLevel: level }) },
};
