/** MD2 [RFC 1319], which node:crypto no longer offers. */

const BLOCK = 16;
const ROUNDS = 18;

/** Hexadecimal MD2 digest. */
export function md2(message: Uint8Array): string {
  const padding = BLOCK - (message.length % BLOCK);
  const padded = new Uint8Array(message.length + padding).fill(padding);
  padded.set(message);
  const state = new Uint8Array(3 * BLOCK);
  const checksum = checksumOf(padded);
  for (let at = 0; at < padded.length; at += BLOCK) absorb(state, padded.subarray(at, at + BLOCK));
  absorb(state, checksum);
  return Buffer.from(state.subarray(0, BLOCK)).toString('hex');
}

const substitute = (byte: number): number => PI[byte & 0xff] ?? 0;
const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

function checksumOf(padded: Uint8Array): Uint8Array {
  const checksum = new Uint8Array(BLOCK);
  let last = 0;
  for (const [at, byte] of padded.entries()) {
    last = byteAt(checksum, at % BLOCK) ^ substitute(byte ^ last);
    checksum[at % BLOCK] = last;
  }
  return checksum;
}

function absorb(state: Uint8Array, block: Uint8Array): void {
  for (const [at, byte] of block.entries()) {
    state[BLOCK + at] = byte;
    state[2 * BLOCK + at] = byte ^ byteAt(state, at);
  }
  let last = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (let at = 0; at < state.length; at++) {
      last = byteAt(state, at) ^ substitute(last);
      state[at] = last;
    }
    last = (last + round) & 0xff;
  }
}

/** A shuffle of 0…255 whose random numbers are digits of pi, as many as each range takes. */
function permutationFromPi(): Uint8Array {
  const digits = digitsOfPi(722);
  let next = 0;
  const below = (bound: number): number => {
    const width = String(bound - 1).length;
    const range = 10 ** width;
    for (;;) {
      const value = Number(digits.slice(next, next + width));
      next += width;
      if (value < bound * Math.floor(range / bound)) return value % bound;
    }
  };
  const table = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  for (let bound = 2; bound <= 256; bound++) {
    const other = below(bound);
    const kept = byteAt(table, other);
    table[other] = byteAt(table, bound - 1);
    table[bound - 1] = kept;
  }
  return table;
}

/** `3141592…` by Machin's formula: pi = 16 arctan(1/5) - 4 arctan(1/239). */
function digitsOfPi(count: number): string {
  const unit = 10n ** BigInt(count + 10);
  const arctan = (inverse: bigint): bigint => {
    let term = unit / inverse;
    let sum = term;
    for (let n = 3n, sign = -1n; term !== 0n; n += 2n, sign = -sign) {
      term /= inverse * inverse;
      sum += (sign * term) / n;
    }
    return sum;
  };
  return (16n * arctan(5n) - 4n * arctan(239n)).toString().slice(0, count);
}

/** The S-box: a permutation of the bytes drawn from the digits of pi, RFC 1319 section 3.2. */
const PI = permutationFromPi();
