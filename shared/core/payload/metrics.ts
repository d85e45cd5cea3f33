import { reject } from '../errors.ts';
import {
  isExactNumber,
  isMetricName,
  isMetricText,
  isUnit,
  LIMITS,
  type Metric,
  SMALLEST_NUMBER,
} from '../reading.ts';

/** Metrics under their dotted names, gathered from one object of a payload. */
export interface Gathered {
  readonly metrics: Record<string, Metric>;
  units: Record<string, string> | undefined;
  /** Members of the root that name a metric, with or without a value. */
  names: number;
  /** Members seen, over all objects: what the text must have had. */
  members: number;
}

export type PayloadObject = Readonly<Record<string, unknown>>;

const DEPTH_LIMIT = 32;
/** Keys with a meaning on prototypes: whoever sends one wants something else than a metric. */
const FORBIDDEN = /^(?:__proto__|constructor|prototype)$/;

export const isObject = (value: unknown): value is PayloadObject =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array);

/**
 * Flat or nested objects become dotted names; `{value, unit}` becomes a metric with a unit; null says nothing and is
 * left out; a number too near to zero for any table is zero. Nesting is bounded, so the recursion is.
 *
 * @param at        path of the sample in the payload, as a prefix: empty, or `[3].`
 * @param reserved  keys of the root that are no metrics
 * @throws {RejectedError} `MALFORMED_PAYLOAD` with the path of what is no metric
 */
export function gatherMetrics(
  sample: PayloadObject,
  at: string,
  reserved: ReadonlySet<string>,
): Gathered {
  const gathered: Gathered = { metrics: {}, units: undefined, names: 0, members: 0 };
  const gatherer = new Gatherer(gathered, at);
  for (const key of Object.keys(sample)) {
    gathered.members += 1;
    if (reserved.has(key)) continue;
    gathered.names += 1;
    gatherer.member(key, key, sample[key], 1);
  }
  return gathered;
}

class Gatherer {
  readonly #into: Gathered;
  readonly #at: string;
  #count = 0;

  constructor(into: Gathered, at: string) {
    this.#into = into;
    this.#at = at;
  }

  member(key: string, name: string, value: unknown, depth: number): void {
    if (FORBIDDEN.test(key)) this.#reject(name, 'is a forbidden key');
    if (!isMetricName(key)) {
      this.#reject(name, `is not a name: wants 1 to ${LIMITS.nameChars} characters, no controls`);
    }
    if (value === null) return;
    if (typeof value !== 'object') this.#metric(name, value);
    else if (isObject(value)) this.#object(name, value, depth + 1);
    else this.#reject(name, `is ${Array.isArray(value) ? 'an array' : 'bytes'}, wants ${WANTED}`);
  }

  #object(name: string, value: PayloadObject, depth: number): void {
    if (depth > DEPTH_LIMIT) this.#reject(name, `is nested deeper than ${DEPTH_LIMIT} levels`);
    const keys = Object.keys(value);
    this.#into.members += keys.length;
    if (isQuantity(value, keys)) this.#quantity(name, value);
    else for (const key of keys) this.member(key, `${name}.${key}`, value[key], depth);
  }

  #quantity(name: string, { value, unit }: Quantity): void {
    if (value === null) return;
    this.#metric(name, value);
    if (!isUnit(unit)) {
      this.#reject(`${name}.unit`, `wants 1 to ${LIMITS.unitChars} characters`);
    }
    this.#into.units ??= {};
    this.#into.units[name] = unit;
  }

  #metric(name: string, value: unknown): void {
    if (name.length > LIMITS.nameChars) {
      this.#reject(name, `makes a name longer than ${LIMITS.nameChars} characters`);
    }
    // one object has no key twice by now, so only a name that has dots can meet another
    if (name.includes('.') && Object.hasOwn(this.#into.metrics, name)) {
      this.#reject(name, 'is there twice');
    }
    this.#count += 1;
    if (this.#count > LIMITS.metrics)
      this.#reject(name, `is one more than ${LIMITS.metrics} metrics`);
    this.#into.metrics[name] = this.#scalar(name, value);
  }

  #scalar(name: string, value: unknown): Metric {
    if (typeof value === 'boolean') return value;
    if (typeof value === 'string') return this.#text(name, value);
    if (typeof value === 'number' || typeof value === 'bigint') return this.#number(name, value);
    return this.#reject(name, `is ${typeof value}, wants ${WANTED}`);
  }

  #text(name: string, value: string): string {
    if (isMetricText(value)) return value;
    return value.length > LIMITS.textChars
      ? this.#reject(name, `is longer than ${LIMITS.textChars} characters`)
      : this.#reject(name, 'is not well-formed: holds half of a surrogate pair');
  }

  #number(name: string, value: number | bigint): number {
    if (typeof value === 'number' && Math.abs(value) < SMALLEST_NUMBER) return 0;
    if (typeof value === 'number' && isExactNumber(value)) return value;
    if (typeof value === 'number' && !Number.isFinite(value)) {
      return this.#reject(name, `is not a finite number (${value})`);
    }
    return this.#reject(
      name,
      `is beyond the exact range of ±(2^53 - 1) (${value}); send it as text`,
    );
  }

  #reject(name: string, problem: string): never {
    return reject('MALFORMED_PAYLOAD', `${this.#at}${name}`, problem);
  }
}

const WANTED = 'a number, a boolean, a text, {value, unit} or an object of them';

interface Quantity {
  readonly value: unknown;
  readonly unit: string;
}

const isQuantity = (
  object: PayloadObject,
  keys: readonly string[],
): object is PayloadObject & Quantity =>
  keys.length === 2 &&
  typeof object['unit'] === 'string' &&
  Object.hasOwn(object, 'value') &&
  (typeof object['value'] !== 'object' || object['value'] === null);
