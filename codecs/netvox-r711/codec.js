/** Report types 0 (version) and 1 (values) on FPort 6, answers to commands on FPort 7. */
function decodeUplink({ bytes, fPort }) {
  if (fPort !== 6 && fPort !== 7) return { errors: [`FPort ${fPort} is unknown, wants 6 or 7`] };
  if (bytes.length < 11) return { errors: [`${bytes.length} bytes are too few, wants 11`] };
  if (bytes[1] !== 1) return { errors: [`device type ${bytes[1]} is not that of an R711`] };
  if (fPort === 7) return answer(bytes);
  if (bytes[2] === 0) return version(bytes);
  if (bytes[2] === 1) return values(bytes);
  return { errors: [`report type ${bytes[2]} is unknown, wants 0 or 1`] };
}

const word = (bytes, at) => bytes[at] * 256 + bytes[at + 1];
const signed = (value) => (value > 32767 ? value - 65536 : value);
const volts = (tenths) => ({ value: tenths / 10, unit: 'V' });

function version(bytes) {
  const date = bytes
    .slice(5, 9)
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
  return { data: { software: bytes[3] / 10, hardware: bytes[4], softwareDate: date } };
}

function values(bytes) {
  const isLow = (bytes[3] & 128) !== 0;
  return {
    data: {
      battery: volts(bytes[3] & 127),
      batteryLow: isLow,
      temperature: { value: signed(word(bytes, 4)) / 100, unit: '°C' },
      humidity: { value: word(bytes, 6) / 100, unit: '%' },
    },
    warnings: isLow ? ['the battery is low'] : [],
  };
}

function answer(bytes) {
  if (bytes[0] === 0x81) return { data: { configured: bytes[2] === 0 } };
  if (bytes[0] !== 0x82) return { errors: [`command ${bytes[0]} is unknown, wants 129 or 130`] };
  return {
    data: {
      configuration: {
        minInterval: { value: word(bytes, 2), unit: 's' },
        maxInterval: { value: word(bytes, 4), unit: 's' },
        batteryChange: volts(bytes[6]),
        temperatureChange: { value: word(bytes, 7) / 100, unit: '°C' },
        humidityChange: { value: word(bytes, 9) / 100, unit: '%' },
      },
    },
  };
}

/** {configure: {minIntervalS, maxIntervalS, batteryChangeV, temperatureChangeC, humidityChange}} or {readConfiguration: true} */
function encodeDownlink({ data }) {
  if (data.readConfiguration === true) {
    return { fPort: 7, bytes: [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0] };
  }
  if (data.configure === undefined) return { errors: ['wants configure or readConfiguration'] };
  const { minIntervalS, maxIntervalS, batteryChangeV, temperatureChangeC, humidityChange } =
    data.configure;
  const words = (value) => [(value >> 8) & 255, value & 255];
  return {
    fPort: 7,
    bytes: [
      1,
      1,
      ...words(minIntervalS),
      ...words(maxIntervalS),
      Math.round(batteryChangeV * 10),
      ...words(Math.round(temperatureChangeC * 100)),
      ...words(Math.round(humidityChange * 100)),
    ],
  };
}

function decodeDownlink({ bytes }) {
  if (bytes[0] === 2) return { data: { readConfiguration: true } };
  return {
    data: {
      configure: {
        minIntervalS: word(bytes, 2),
        maxIntervalS: word(bytes, 4),
        batteryChangeV: bytes[6] / 10,
        temperatureChangeC: word(bytes, 7) / 100,
        humidityChange: word(bytes, 9) / 100,
      },
    },
  };
}
