/** Type and value, again and again, big-endian but for positions; the bits 6 and 7 of a type say how late a value is sent. */
function decodeUplink({ bytes }) {
  const data = {};
  const more = [];
  let at = 0;
  while (at < bytes.length) {
    const type = bytes[at] & 63;
    const read = TYPES[type];
    if (type === 0x3e) {
      data.settings = bytes
        .slice(at + 1)
        .map(hex)
        .join('');
      return { data };
    }
    if (read === undefined) return { errors: [`byte ${at} is ${bytes[at]}, which is no type`] };
    const size = OFFSET_BYTES[bytes[at] >> 6] + read.size;
    if (at + 1 + size > bytes.length) return { errors: [`type ${type} is cut off at byte ${at}`] };
    const from = at + 1 + OFFSET_BYTES[bytes[at] >> 6];
    if (read.isOneOfMany) more.push(read.as(bytes, from));
    else Object.assign(data, read.as(bytes, from));
    at += 1 + size;
  }
  if (at === 0) return { errors: ['there is no value'] };
  return { data: more.length === 0 ? data : { ...data, externalTemperatures: more } };
}

const OFFSET_BYTES = [0, 1, 2, 4];
const hex = (byte) => byte.toString(16).padStart(2, '0');

const unsigned = (bytes, at, size) => {
  let value = 0;
  for (let index = 0; index < size; index += 1) value = value * 256 + bytes[at + index];
  return value;
};
const signed = (bytes, at, size) => {
  const value = unsigned(bytes, at, size);
  return value >= 2 ** (8 * size - 1) ? value - 2 ** (8 * size) : value;
};

const quantity = (name, size, read, per, unit) => ({
  size,
  as: (bytes, at) => ({ [name]: { value: read(bytes, at, size) / per, unit } }),
});
const count = (name, size) => ({
  size,
  as: (bytes, at) => ({ [name]: unsigned(bytes, at, size) }),
});

const TYPES = {
  1: quantity('temperature', 2, signed, 10, '°C'),
  2: quantity('humidity', 1, unsigned, 1, '%'),
  3: {
    size: 3,
    as: (bytes, at) => ({
      acceleration: Object.fromEntries(
        ['x', 'y', 'z'].map((axis, index) => [
          axis,
          { value: signed(bytes, at + index, 1) / 63, unit: 'g' },
        ]),
      ),
    }),
  },
  4: quantity('illuminance', 2, unsigned, 1, 'lx'),
  5: count('motion', 1),
  6: quantity('co2', 2, unsigned, 1, 'ppm'),
  7: quantity('battery', 2, unsigned, 1000, 'V'),
  8: quantity('analog1', 2, unsigned, 1000, 'V'),
  9: {
    size: 6,
    as: (bytes, at) => ({
      position: {
        latitude: { value: signed(bytes.slice(at, at + 3).reverse(), 0, 3) / 10000, unit: '°' },
        longitude: {
          value: signed(bytes.slice(at + 3, at + 6).reverse(), 0, 3) / 10000,
          unit: '°',
        },
      },
    }),
  },
  10: count('pulses1', 2),
  11: count('pulses1Total', 4),
  12: quantity('externalTemperature1', 2, signed, 10, '°C'),
  13: count('digital1', 1),
  14: quantity('distance', 2, unsigned, 1, 'mm'),
  15: count('motionByAcceleration', 1),
  16: {
    size: 4,
    as: (bytes, at) => ({
      infrared: {
        internal: { value: signed(bytes, at, 2) / 10, unit: '°C' },
        external: { value: signed(bytes, at + 2, 2) / 10, unit: '°C' },
      },
    }),
  },
  17: count('occupancy', 1),
  18: count('waterLeak', 1),
  19: {
    size: 65,
    as: (bytes, at) => ({
      grid: Array.from({ length: 64 }, (_, pixel) => bytes[at] + bytes[at + 1 + pixel] / 10),
    }),
  },
  20: quantity('pressure', 4, unsigned, 1000, 'hPa'),
  21: {
    size: 2,
    as: (bytes, at) => ({
      sound: { peak: { value: bytes[at], unit: 'dB' }, mean: { value: bytes[at + 1], unit: 'dB' } },
    }),
  },
  22: count('pulses2', 2),
  23: count('pulses2Total', 4),
  24: quantity('analog2', 2, unsigned, 1000, 'V'),
  25: {
    size: 2,
    isOneOfMany: true,
    as: (bytes, at) => ({ value: signed(bytes, at, 2) / 10, unit: '°C' }),
  },
  26: count('digital2', 1),
  27: quantity('loadCell', 4, signed, 1, 'µV'),
  28: quantity('tvoc', 2, unsigned, 1, 'ppb'),
};
