import { CodecFault } from '../../shared/codec-runtime/codec-fault.ts';
import type { Codec, CodecRuntime } from '../../shared/codec-runtime/codec-runtime.ts';
import { RejectedError } from '../../shared/core/errors.ts';
import type { CodecVersion } from '../../shared/core/lorawan/codec-version.ts';
import { type FieldFormat, parseFieldFormat } from '../../shared/core/lorawan/formats/fields.ts';

/** Something that decodes, ready to run; or the fault that keeps it from being so. */
export type Decoder =
  | { readonly kind: 'script'; readonly codec: Codec }
  | { readonly kind: 'fields'; readonly format: FieldFormat }
  | { readonly kind: 'broken'; readonly fault: CodecFault };

const LIMIT_BYTES = 64 * 1024 * 1024;
const FIELDS_BYTES = 50_000;

/** The codecs that a container holds ready, by `name@version`; what was used longest ago makes room. */
export class Shelf {
  readonly #runtime: CodecRuntime;
  readonly #decoders = new Map<string, Decoder>();
  #sizeBytes = 0;

  constructor(runtime: CodecRuntime) {
    this.#runtime = runtime;
  }

  has(id: string): boolean {
    return this.#decoders.has(id);
  }

  get(id: string): Decoder | undefined {
    const decoder = this.#decoders.get(id);
    if (decoder === undefined) return undefined;
    this.#decoders.delete(id);
    this.#decoders.set(id, decoder);
    return decoder;
  }

  /** A codec that does not load is kept too: to find that out again would cost its budget again. */
  put(id: string, version: CodecVersion): void {
    const decoder = this.#open(version);
    this.#decoders.set(id, decoder);
    this.#sizeBytes += sizeOf(decoder);
    for (const [oldest, other] of this.#decoders) {
      if (this.#sizeBytes <= LIMIT_BYTES || oldest === id) break;
      this.#decoders.delete(oldest);
      this.#sizeBytes -= sizeOf(other);
    }
  }

  #open({ kind, source }: CodecVersion): Decoder {
    try {
      return kind === 'fields'
        ? { kind, format: parseFieldFormat(source) }
        : { kind, codec: this.#runtime.load(source) };
    } catch (error) {
      if (error instanceof CodecFault) return { kind: 'broken', fault: error };
      if (!(error instanceof RejectedError)) throw error;
      return { kind: 'broken', fault: new CodecFault('CODEC_UNLOADABLE', error.issues.join('; ')) };
    }
  }
}

const sizeOf = (decoder: Decoder): number =>
  decoder.kind === 'script' ? decoder.codec.sizeBytes : FIELDS_BYTES;
