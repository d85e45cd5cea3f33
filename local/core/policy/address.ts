/** An address or a block of addresses: the first `prefix` of the family's bits count. */
export interface AddressBlock {
  readonly bits: bigint;
  readonly width: 32 | 128;
  readonly prefix: number;
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

const ipv4Bits = (text: string): bigint =>
  text.split('.').reduce((bits, octet) => bits * 256n + BigInt(octet), 0n);

/** Groups of an IPv6 half; a dotted tail counts as two. Undefined where one is not hexadecimal. */
function groupsOf(text: string): readonly bigint[] | undefined {
  if (text === '') return [];
  const groups: bigint[] = [];
  for (const piece of text.split(':')) {
    if (IPV4.test(piece)) groups.push(ipv4Bits(piece) >> 16n, ipv4Bits(piece) & 0xffffn);
    else if (/^[0-9a-f]{1,4}$/i.test(piece)) groups.push(BigInt(`0x${piece}`));
    else return undefined;
  }
  return groups;
}

function ipv6Bits(text: string): bigint | undefined {
  const halves = text.split('::');
  const [head, tail] = halves.map(groupsOf);
  if (halves.length > 2 || head === undefined) return undefined;
  if (halves.length === 2 && tail === undefined) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<bigint>(missing).fill(0n), ...(tail ?? [])];
  return groups.reduce((bits, group) => bits * 65_536n + group, 0n);
}

/** `1.2.3.4`, `2001:db8::1`; an IPv4 address mapped into IPv6 counts as IPv4. Undefined for anything else. */
export function parseAddress(text: string): AddressBlock | undefined {
  if (IPV4.test(text)) return { bits: ipv4Bits(text), width: 32, prefix: 32 };
  const bits = ipv6Bits(text);
  if (bits === undefined) return undefined;
  if (bits >> 32n === 0xffffn) return { bits: bits & 0xffff_ffffn, width: 32, prefix: 32 };
  return { bits, width: 128, prefix: 128 };
}

/** An address with an optional `/prefix`. Undefined where it is not one. */
export function parseBlock(text: string): AddressBlock | undefined {
  const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const parsed = parseAddress(address);
  if (parsed === undefined || prefix === undefined) return parsed;
  return Number(prefix) <= parsed.width ? { ...parsed, prefix: Number(prefix) } : undefined;
}

export function contains(block: AddressBlock, address: AddressBlock): boolean {
  if (block.width !== address.width) return false;
  const dropped = BigInt(block.width - block.prefix);
  return block.bits >> dropped === address.bits >> dropped;
}
