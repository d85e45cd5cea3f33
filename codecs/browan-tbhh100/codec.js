/** Temperature and humidity indoors; a humidity of 127 says that the sensor failed. */
function decodeUplink({ bytes, fPort }) {
  if (fPort !== 103) return { errors: [`FPort ${fPort} is unknown, wants 103`] };
  if (bytes.length < 4) return { errors: [`${bytes.length} bytes are too few, wants 4`] };
  const [status, battery, temperature, humidity] = bytes;
  const data = {
    statusCode: status >> 3,
    battery: { value: (25 + (battery & 15)) / 10, unit: 'V' },
    temperature: { value: (temperature & 127) - 32, unit: '°C' },
  };
  if ((humidity & 127) === 127) return { data, warnings: ['the humidity sensor failed'] };
  data.humidity = { value: humidity & 127, unit: '%' };
  return { data };
}
