/** Flags say which groups of 16-bit words follow: climate, then battery. */
function decodeUplink({ bytes }) {
  if (bytes.length < 5) return { errors: [`${bytes.length} bytes are too few, wants 5 or more`] };
  if (bytes[0] !== 2) return { errors: [`protocol version ${bytes[0]} is unknown, wants 2`] };
  const word = (at) => bytes[at] * 256 + bytes[at + 1];
  const flags = word(3);
  const wanted = 5 + ((flags & 1) === 0 ? 0 : 4) + ((flags & 2) === 0 ? 0 : 2);
  if (bytes.length < wanted) {
    return { errors: [`${bytes.length} bytes are too few for flags ${flags}, wants ${wanted}`] };
  }
  const data = { deviceId: word(1) };
  let at = 5;
  if ((flags & 1) !== 0) {
    data.temperature = { value: (175 * word(at)) / 65535 - 45, unit: '°C' };
    data.humidity = { value: (100 * word(at + 2)) / 65535, unit: '%' };
    at += 4;
  }
  if ((flags & 2) !== 0) data.battery = { value: word(at) / 1000, unit: 'V' };
  return { data };
}
