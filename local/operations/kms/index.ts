import type { Operation } from '../operation.ts';
import type { KmsDeps } from './access.ts';
import { decrypt } from './decrypt.ts';
import { describeKey } from './describe-key.ts';
import { encrypt } from './encrypt.ts';
import { generateDataKey } from './generate-data-key.ts';
import { generateDataKeyWithoutPlaintext } from './generate-data-key-without-plaintext.ts';
import { listAliases } from './list-aliases.ts';

export type { KmsDeps } from './access.ts';

const OPERATIONS = [
  decrypt,
  describeKey,
  encrypt,
  generateDataKey,
  generateDataKeyWithoutPlaintext,
  listAliases,
];

/** KMS over AWS JSON 1.1: symmetric keys, without grants, rotation and key policies. */
export const kmsOperations = (deps: KmsDeps): Operation[] =>
  OPERATIONS.map((create) => create(deps));
