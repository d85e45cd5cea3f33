import { dirname, join } from 'node:path';
import { NAME } from '../shared/core/names.ts';
import { type Terminal, UsageError } from './command.ts';
import { openLorawanDesk } from './lorawan-desk.ts';
import type { Target } from './target.ts';

/** Options of `npm run lorawan`. */
export interface Values {
  readonly eui?: string | undefined;
  readonly 'rf-region': string;
  readonly stage?: string | undefined;
  readonly region?: string | undefined;
  readonly fport?: string | undefined;
  readonly data?: string | undefined;
  readonly codec?: string | undefined;
  readonly profile?: string | undefined;
  readonly fleet?: string | undefined;
  readonly thing?: string | undefined;
  readonly confirmed: boolean;
  readonly gateway?: string | undefined;
  readonly json?: boolean | undefined;
}
export type Asked = { readonly words: readonly string[]; readonly values: Values };
/** Beside the devices of the laptop that runs, or in the folder of this project for AWS. */
export const lorawanDirectory = (devicesDirectory = join('.tributary', 'devices')): string =>
  join(dirname(devicesDirectory), 'lorawan');

export const deskOf = (target: Target) =>
  openLorawanDesk(target, lorawanDirectory(target.laptop?.devicesDirectory));

/** Of a command: what its codec is to encode, or bytes as they are. */
export type DownlinkCommand =
  | { readonly kind: 'data'; readonly data: object; readonly fPort: number | undefined }
  | { readonly kind: 'bytes'; readonly payload: Buffer; readonly fPort: number };

/** JSON is for a codec to encode, and so goes to the device. */
export const isData = ({ words: [, text = ''], values }: Asked): boolean =>
  values.data !== undefined || text.trimStart().startsWith('{');

export function commandOf(asked: Asked): {
  readonly name: string;
  readonly command: DownlinkCommand;
} {
  if (!isData(asked)) {
    const { name, ...frame } = frameOf(asked);
    return { name, command: { kind: 'bytes', ...frame } };
  }
  const { words, values } = asked;
  const [name = '', text = values.data ?? ''] = words;
  checkName(name);
  const fPort = values.fport === undefined ? undefined : portOf(values.fport);
  return { name, command: { kind: 'data', data: objectOf(text), fPort } };
}

function objectOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    throw new UsageError(`the command is no JSON: ${text}`);
  }
  throw new UsageError(`the command is a JSON object, {"interval": 600}, not ${text}`);
}

export function frameOf({ words, values }: Asked) {
  const [name = '', hex = ''] = words;
  checkName(name);
  if (!/^(?:[0-9a-f]{2}){1,242}$/i.test(hex))
    throw new UsageError(`the payload is 1 to 242 bytes in hexadecimal digits, not '${hex}'.`);
  return { name, fPort: portOf(values.fport ?? '2'), payload: Buffer.from(hex, 'hex') };
}

function portOf(text: string): number {
  const fPort = Number(text);
  if (Number.isInteger(fPort) && fPort >= 1 && fPort <= 223) return fPort;
  throw new UsageError(`--fport wants a whole number from 1 to 223, not ${text}.`);
}

export function checkName(name: string): void {
  if (!NAME.test(name))
    throw new UsageError(`a name has 1 to 64 of A-Z a-z 0-9 _ and -, not '${name}'.`);
}

export function tell(terminal: Terminal, { json }: Values, data: object, text: string): void {
  terminal.out(json ? `${JSON.stringify(data)}\n` : `${text}\n`);
}
