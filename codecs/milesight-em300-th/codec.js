/** Channel, type and value, again and again, little-endian; also what a device says of itself when it starts. */
function decodeUplink({ bytes }) {
  const data = {};
  const history = [];
  let at = 0;
  while (at < bytes.length) {
    const key = bytes[at] * 256 + bytes[at + 1];
    const read = CHANNELS[key];
    if (read === undefined)
      return { errors: [`bytes ${at} and ${at + 1} are no channel and type`] };
    if (at + 2 + read.size > bytes.length)
      return { errors: [`the channel at byte ${at} is cut off`] };
    const value = read.as(bytes.slice(at + 2, at + 2 + read.size));
    if (read.isHistory) history.push(value);
    else Object.assign(data, value);
    at += 2 + read.size;
  }
  if (at === 0) return { errors: ['there is no channel'] };
  return { data: history.length === 0 ? data : { ...data, history } };
}

const hex = (bytes) => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
const signed16 = ([low, high]) => ((low | (high << 8)) << 16) >> 16;
const climate = ([low, high, humidity]) => ({
  temperature: { value: signed16([low, high]) / 10, unit: '°C' },
  humidity: { value: humidity / 2, unit: '%' },
});
const nibbles = (byte) => `${byte >> 4}.${byte & 15}`;

const CHANNELS = {
  373: { size: 1, as: ([value]) => ({ battery: { value, unit: '%' } }) },
  871: { size: 2, as: (bytes) => ({ temperature: { value: signed16(bytes) / 10, unit: '°C' } }) },
  1128: { size: 1, as: ([value]) => ({ humidity: { value: value / 2, unit: '%' } }) },
  8398: {
    size: 7,
    isHistory: true,
    as: ([a, b, c, d, ...rest]) => ({
      at: a + 256 * b + 65536 * c + 16777216 * d,
      ...climate(rest),
    }),
  },
  65281: { size: 1, as: ([version]) => ({ protocolVersion: version }) },
  65289: { size: 2, as: ([major, minor]) => ({ hardware: `${major}.${minor >> 4}` }) },
  65290: { size: 2, as: ([major, minor]) => ({ firmware: `${major}.${minor.toString(16)}` }) },
  65291: { size: 1, as: () => ({ started: true }) },
  65295: { size: 1, as: ([type]) => ({ deviceClass: ['A', 'B', 'C'][type] ?? `${type}` }) },
  65302: { size: 8, as: (bytes) => ({ serialNumber: hex(bytes) }) },
  65535: { size: 2, as: (bytes) => ({ tslVersion: nibbles(bytes[0]) }) },
};

/** The newest values by the names of normalised measurements. */
function normalizeUplink({ data }) {
  const air = {};
  if (data.temperature !== undefined) air.temperature = data.temperature.value;
  if (data.humidity !== undefined) air.relativeHumidity = data.humidity.value;
  return { data: Object.keys(air).length === 0 ? {} : { air } };
}
