/** Of the primes whose product the library builds its own upon, those that it takes for every size of key. */
const PRIMES = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
  103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/** For each prime, the remainders that powers of 65537 leave. */
const REMAINDERS: readonly (readonly [prime: bigint, powers: ReadonlySet<bigint>])[] = PRIMES.map(
  (prime) => [BigInt(prime), powersOf(65_537 % prime, prime)],
);

function powersOf(base: number, prime: number): ReadonlySet<bigint> {
  const powers = new Set<bigint>();
  for (let power = 1; !powers.has(BigInt(power)); power = (power * base) % prime) {
    powers.add(BigInt(power));
  }
  return powers;
}

/**
 * Whether an RSA modulus has the mark of the library of CVE-2017-15361: modulo each small prime it is a power of
 * 65537, as both its factors are. By chance, one modulus in some hundred million has it.
 *
 * @see Nemec et al., "The Return of Coppersmith's Attack", 2017, section 2
 */
export const isRocaModulus = (modulus: bigint): boolean =>
  REMAINDERS.every(([prime, powers]) => powers.has(modulus % prime));
