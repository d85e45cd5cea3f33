/** Door and window sensor: whether it is open, for how long, how often it was. */
function decodeUplink({ bytes, fPort }) {
  if (fPort !== 100) return { errors: [`FPort ${fPort} is unknown, wants 100`] };
  if (bytes.length < 8) return { errors: [`${bytes.length} bytes are too few, wants 8`] };
  const [status, battery, temperature, minutesLow, minutesHigh, low, middle, high] = bytes;
  return {
    data: {
      open: (status & 1) === 1,
      battery: { value: (25 + (battery & 15)) / 10, unit: 'V' },
      temperature: { value: (temperature & 127) - 32, unit: '°C' },
      sinceEvent: { value: minutesLow + 256 * minutesHigh, unit: 'min' },
      events: low + 256 * middle + 65536 * high,
    },
  };
}
