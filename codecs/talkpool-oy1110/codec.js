/** Three bytes a sample: 12 bits each of temperature and humidity; on FPort 3 behind a byte of status. */
function decodeUplink({ bytes, fPort }) {
  if (fPort !== 2 && fPort !== 3) return { errors: [`FPort ${fPort} is unknown, wants 2 or 3`] };
  const samples = fPort === 3 ? bytes.slice(1) : bytes;
  if (samples.length === 0 || samples.length % 3 !== 0) {
    return { errors: [`${bytes.length} bytes are no whole samples`] };
  }
  const list = [];
  for (let at = 0; at < samples.length; at += 3) list.push(sample(samples.slice(at, at + 3)));
  const [newest, ...older] = list;
  return { data: older.length === 0 ? newest : { ...newest, older } };
}

function sample([temperature, humidity, low]) {
  return {
    temperature: { value: (temperature * 16 + (low >> 4) - 800) / 10, unit: '°C' },
    humidity: { value: (humidity * 16 + (low & 15) - 250) / 10, unit: '%' },
  };
}
