import { createHash } from 'node:crypto';
import { toText } from '../convert.ts';
import { md2 } from '../md2.ts';
import { type FunctionTable, type PlainFunction, plain } from './function.ts';

/** Hexadecimal digest of a text's UTF-8 bytes. */
const digest = (hash: (text: string) => string): PlainFunction =>
  plain(1, 1, (value) => {
    const text = toText(value);
    return text === undefined ? undefined : hash(text);
  });

const withNode = (algorithm: string): PlainFunction =>
  digest((text) => createHash(algorithm).update(text).digest('hex'));

export const HASH: FunctionTable = {
  md2: digest((text) => md2(Buffer.from(text))),
  md5: withNode('md5'),
  sha1: withNode('sha1'),
  sha224: withNode('sha224'),
  sha256: withNode('sha256'),
  sha384: withNode('sha384'),
  sha512: withNode('sha512'),
};
