/** A tracker: where it is, how it answers downlinks, how it fared since it started. */
function decodeUplink({ bytes, fPort }) {
  const wanted = { 1: 11, 2: 3, 3: 11, 4: 9 }[fPort];
  if (wanted === undefined) return { errors: [`FPort ${fPort} is unknown, wants 1 to 4`] };
  if (bytes.length < wanted) {
    return { errors: [`${bytes.length} bytes are too few for FPort ${fPort}, wants ${wanted}`] };
  }
  return { 1: fullPosition, 2: downlinkAck, 3: statistics, 4: shortPosition }[fPort](bytes);
}

/** Little-endian, two's complement. */
function signed(bytes, at, count) {
  let value = 0;
  for (let index = count - 1; index >= 0; index -= 1) value = value * 256 + bytes[at + index];
  const half = 2 ** (8 * count - 1);
  return value >= half ? value - 2 * half : value;
}

/** Bits from a first one on, counted from the lowest of the first byte. */
function bits(bytes, from, count) {
  let value = 0;
  for (let bit = count - 1; bit >= 0; bit -= 1) {
    value = 2 * value + ((bytes[(from + bit) >> 3] >> ((from + bit) & 7)) & 1);
  }
  return value;
}

function position(place, { inTrip, fixFailed, battery, ...more }) {
  const data = { inTrip, fixFailed, battery: { value: battery / 1000, unit: 'V' }, ...more };
  if (fixFailed) return { data: { ...data, lastKnown: place }, warnings: ['no new position'] };
  return { data: { ...data, position: place } };
}

function fullPosition(bytes) {
  const place = {
    latitude: { value: signed(bytes, 0, 4) / 1e7, unit: '°' },
    longitude: { value: signed(bytes, 4, 4) / 1e7, unit: '°' },
    heading: { value: ((bytes[8] >> 2) * 360) / 64, unit: '°' },
    speed: { value: bytes[9], unit: 'km/h' },
  };
  const state = bytes[8];
  return position(place, {
    inTrip: (state & 1) !== 0,
    fixFailed: (state & 2) !== 0,
    battery: bytes[10] * 25,
  });
}

function shortPosition(bytes) {
  const place = {
    latitude: { value: (signed(bytes, 0, 3) * 256) / 1e7, unit: '°' },
    longitude: { value: (signed(bytes, 3, 3) * 256) / 1e7, unit: '°' },
    heading: { value: (bytes[6] & 7) * 45, unit: '°' },
    speed: { value: (bytes[6] >> 3) * 5, unit: 'km/h' },
  };
  const state = bytes[8];
  return position(place, {
    inTrip: (state & 1) !== 0,
    fixFailed: (state & 2) !== 0,
    battery: bytes[7] * 25,
    manDown: (state & 4) !== 0,
  });
}

function downlinkAck(bytes) {
  return {
    data: {
      sequence: bytes[0] & 127,
      accepted: (bytes[0] & 128) !== 0,
      firmware: `${bytes[1]}.${bytes[2]}`,
    },
  };
}

function statistics(bytes) {
  return {
    data: {
      initialBattery: { value: (40 + bits(bytes, 0, 4)) / 10, unit: 'V' },
      transmissions: 32 * bits(bytes, 4, 11),
      trips: 32 * bits(bytes, 15, 13),
      fixes: 32 * bits(bytes, 28, 10),
      failedFixes: 32 * bits(bytes, 38, 8),
      meanFixTime: { value: bits(bytes, 46, 9), unit: 's' },
      meanFailTime: { value: bits(bytes, 55, 9), unit: 's' },
      meanFreshenTime: { value: bits(bytes, 64, 8), unit: 's' },
      wakeupsPerTrip: bits(bytes, 72, 7),
      uptime: { value: bits(bytes, 79, 9), unit: 'weeks' },
    },
  };
}
