/** Distance by ultrasound; 0 says that there is no sensor, 20 that it read nothing valid. */
function decodeUplink({ bytes, fPort }) {
  if (fPort !== 2) return { errors: [`FPort ${fPort} is unknown, wants 2`] };
  if (bytes.length < 8) return { errors: [`${bytes.length} bytes are too few, wants 8`] };
  const word = (at) => bytes[at] * 256 + bytes[at + 1];
  const temperature = word(5) > 32767 ? word(5) - 65536 : word(5);
  const distance = word(2);
  const data = {
    battery: { value: (word(0) & 0x3fff) / 1000, unit: 'V' },
    interrupt: bytes[4] !== 0,
    sensorPresent: bytes[7] !== 0,
  };
  const warnings = [];
  if (distance === 0) warnings.push('there is no distance sensor');
  else if (distance === 20) warnings.push('the distance could not be read');
  else data.distance = { value: distance, unit: 'mm' };
  if (temperature !== 0) data.temperature = { value: temperature / 10, unit: '°C' };
  return { data, warnings };
}
