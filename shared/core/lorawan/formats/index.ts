import { decodePayload } from '../../payload.ts';
import type { Measurement } from '../measurements.ts';
import { type Decoded, decodeCayenneLpp } from './cayenne-lpp.ts';

/** Formats that need no codec, by the names under which they are assigned. */
export const FORMATS = ['cayenne-lpp', 'cbor', 'json'] as const;
export type Format = (typeof FORMATS)[number];

export const isFormat = (name: string): name is Format => FORMATS.some((one) => one === name);

export interface FormatResult {
  readonly measurements: readonly Measurement[];
  readonly warnings: readonly string[];
}

/** @throws {RejectedError} `MALFORMED_PAYLOAD` or `PAYLOAD_TOO_LARGE` */
export function decodeFormat(format: Format, bytes: Uint8Array): FormatResult {
  if (format === 'cayenne-lpp') return resultOf(decodeCayenneLpp(bytes));
  return { measurements: decodePayload(bytes), warnings: [] };
}

export const resultOf = ({ metrics, units, warning }: Decoded): FormatResult => ({
  measurements: [{ metrics, units, deviceMs: undefined }],
  warnings: warning === undefined ? [] : [warning],
});
