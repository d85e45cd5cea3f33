/** Bits of an address, most significant first, and how many there are. */
interface Address {
  readonly bits: bigint;
  readonly width: 32 | 128;
}

/**
 * Whether an address lies in a block of addresses.
 *
 * @param address  IPv4 or IPv6, without a port
 * @param cidr     an address, `/` and the bits that count; an address alone is a block of one
 * @returns        false as well when either is no address: what cannot be read is in no set
 * @see RFC 4632, section 3.1; RFC 4291, section 2.3
 */
export function isInCidr(address: string, cidr: string): boolean {
  const block = cidrOf(cidr);
  const one = addressOf(address);
  if (block === undefined || one === undefined || one.width !== block.width) return false;
  const shift = BigInt(block.width - block.prefix);
  return one.bits >> shift === block.bits >> shift;
}

export const isCidr = (text: string): boolean => cidrOf(text) !== undefined;

function cidrOf(text: string): (Address & { readonly prefix: number }) | undefined {
  const [base = '', size, ...rest] = text.split('/');
  const address = addressOf(base);
  if (address === undefined || rest.length > 0) return undefined;
  const prefix = size === undefined ? address.width : Number(size);
  const isSize = size === undefined || /^\d{1,3}$/.test(size);
  return isSize && prefix <= address.width ? { ...address, prefix } : undefined;
}

function addressOf(text: string): Address | undefined {
  return text.includes(':') ? ipv6Of(text) : ipv4Of(text);
}

function ipv4Of(text: string): Address | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return { bits: parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n), width: 32 };
}

/** `::` stands for the zeroes that are missing; the last 32 bits may be written as IPv4. */
function ipv6Of(text: string): Address | undefined {
  const halves = text.split('::');
  if (halves.length > 2 || text.length > 45) return undefined;
  const [head, tail] = halves.map(groupsOf);
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const given = head.length + (tail?.length ?? 0);
  if (halves.length === 2 ? given > 7 : given !== 8) return undefined;
  const groups = [...head, ...new Array<number>(8 - given).fill(0), ...(tail ?? [])];
  return { bits: groups.reduce((bits, group) => (bits << 16n) | BigInt(group), 0n), width: 128 };
}

function groupsOf(text: string): readonly number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  for (const part of text.split(':')) {
    if (part.includes('.')) {
      const embedded = ipv4Of(part);
      if (embedded === undefined) return undefined;
      groups.push(Number(embedded.bits >> 16n), Number(embedded.bits & 0xffffn));
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}
