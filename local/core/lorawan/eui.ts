import { FrameFault } from './fault.ts';

const PLAIN = /^[0-9a-f]{16}$/;
const DASHED = /^(?:[0-9a-f]{1,2}-){7}[0-9a-f]{1,2}$/;
const NUMBER = /^\d{1,20}$/;

/**
 * An EUI as gateways write it: `00-11-…`, an ID6 such as `b827:ebff:fe01:2345` or `::1`, 16 digits, or a number.
 *
 * @returns 16 hexadecimal digits in small letters
 * @throws {FrameFault} for anything else
 */
export function parseEui(text: string | number | bigint): string {
  const written = String(text).toLowerCase();
  if (typeof text === 'string' && PLAIN.test(written)) return written;
  if (typeof text !== 'string' && NUMBER.test(written)) return hexOf(BigInt(written));
  if (DASHED.test(written)) {
    return written
      .split('-')
      .map((octet) => octet.padStart(2, '0'))
      .join('');
  }
  const groups = written.includes(':') ? id6Groups(written) : undefined;
  if (groups !== undefined) return groups.map((group) => group.padStart(4, '0')).join('');
  throw new FrameFault(
    `${JSON.stringify(written.slice(0, 40))} is no EUI; write it as 00-11-22-33-44-55-66-77 or b827:ebff:fe01:2345`,
  );
}

const hexOf = (value: bigint): string => BigInt.asUintN(64, value).toString(16).padStart(16, '0');

/** Four groups, of which `::` stands for those that are zero. */
function id6Groups(text: string): string[] | undefined {
  const [before = '', after, ...more] = text.split('::');
  if (more.length > 0) return undefined;
  const [head, tail] = [before, after ?? ''].map((part) => (part === '' ? [] : part.split(':')));
  const given = [...(head ?? []), ...(tail ?? [])];
  const missing = 4 - given.length;
  if (after === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...(head ?? []), ...Array<string>(missing).fill('0'), ...(tail ?? [])];
  return groups.every((group) => /^[0-9a-f]{1,4}$/.test(group)) ? groups : undefined;
}

/** `00-11-22-33-44-55-66-77` */
export const dashedEui = (eui: string): string => (eui.match(/../g) ?? []).join('-').toUpperCase();

/** As stations name themselves: `11:22:33:44` in groups of 16 bits. */
export const id6Of = (eui: string): string =>
  (eui.match(/.{4}/g) ?? []).map((group) => group.replace(/^0{1,3}/, '')).join(':');
