/** What a unit cannot be below or above, by physics; units as SenML (RFC 8428, 12.1) and as people write them. */
const LIMITS: ReadonlyMap<string, readonly [number, number]> = new Map([
  ...limits(['Cel', '°C', 'C', 'degC', 'celsius'], -273.15, Number.POSITIVE_INFINITY),
  ...limits(['°F', 'F', 'degF', 'fahrenheit'], -459.67, Number.POSITIVE_INFINITY),
  ...limits(['K', 'kelvin'], 0, Number.POSITIVE_INFINITY),
  ...limits(['%RH', '%rh'], 0, 100),
  ...limits(['%EL'], 0, 100),
  ...limits(
    ['Hz', 'kHz', 'lx', 'lux', 'Pa', 'hPa', 'kPa', 'bar', 'mbar', 'ppm', 'ppb', 'kg', 'Ohm', 'ohm'],
    0,
    Number.POSITIVE_INFINITY,
  ),
]);

function limits(
  units: readonly string[],
  low: number,
  high: number,
): (readonly [string, readonly [number, number]])[] {
  return units.map((unit) => [unit, [low, high]]);
}

export const physicalRange = (unit: string | undefined): readonly [number, number] | undefined =>
  unit === undefined ? undefined : LIMITS.get(unit);

interface Conversion {
  readonly name: string;
  readonly scale: number;
  readonly shift: number;
}

const CONVERSIONS: readonly Conversion[] = [
  { name: 'Fahrenheit for Celsius', scale: 1.8, shift: 32 },
  { name: 'Celsius for Fahrenheit', scale: 1 / 1.8, shift: -32 / 1.8 },
  { name: 'Kelvin for Celsius', scale: 1, shift: 273.15 },
  { name: 'Celsius for Kelvin', scale: 1, shift: -273.15 },
  { name: 'a thousand times the base (milli for base, or base for kilo)', scale: 1000, shift: 0 },
  { name: 'a thousandth of the base (kilo for base, or base for milli)', scale: 1e-3, shift: 0 },
  { name: 'a hundred times (percent for share)', scale: 100, shift: 0 },
  { name: 'a hundredth (share for percent)', scale: 0.01, shift: 0 },
  { name: 'km/h for m/s', scale: 3.6, shift: 0 },
  { name: 'm/s for km/h', scale: 1 / 3.6, shift: 0 },
];

const FAR_SPREADS = 6;
const NEAR_SPREADS = 2;
const NEAR_SHARE = 0.03;

/**
 * The change of unit that would explain a value far from its level: the level in the other unit is near it.
 *
 * @returns the conversion's name; nothing when there is none, or when the value is not far enough to ask
 */
export function conversionBetween(
  level: number,
  spread: number,
  value: number,
): string | undefined {
  const distance = Math.abs(value - level);
  if (level === 0 || distance < FAR_SPREADS * spread) return undefined;
  return CONVERSIONS.find(({ scale, shift }) => {
    const converted = level * scale + shift;
    const near = Math.max(NEAR_SPREADS * spread * scale, NEAR_SHARE * Math.abs(converted));
    return Math.abs(value - converted) <= near && near < distance / 2;
  })?.name;
}
