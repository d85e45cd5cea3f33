/**
 * LoRaWAN sends numbers and identifiers least significant octet first, and people write them the other way
 * round: `text` here is always as people write it.
 */
export const reversedHex = (octets: Uint8Array): string =>
  Buffer.from(octets).reverse().toString('hex');

/** @param text  hexadecimal digits, as people write an identifier */
export const octetsOf = (text: string): Buffer => Buffer.from(text, 'hex').reverse();
