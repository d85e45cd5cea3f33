import * as z from 'zod';
import { AwsError } from '../operation.ts';
import {
  base64,
  checkLacking,
  EncryptionContext,
  KeyId,
  type KmsDeps,
  LackingInput,
} from './access.ts';

export const DataKeyInput = z.object({
  KeyId,
  KeySpec: z.enum(['AES_256', 'AES_128']).optional(),
  NumberOfBytes: z.int().min(1).max(1024).optional(),
  EncryptionContext,
  ...LackingInput.shape,
});
export type DataKeyInput = z.infer<typeof DataKeyInput>;

/** A fresh data key, open and sealed. @throws {AwsError} with KMS's codes */
export function newDataKey({ keys }: KmsDeps, input: DataKeyInput) {
  const plaintext = keys.randomBytes(bytesOf(input));
  const sealed = keys.encrypt(input.KeyId, plaintext, input.EncryptionContext);
  checkLacking(input);
  return {
    KeyId: keys.resolve(input.KeyId).arn,
    Plaintext: base64(plaintext),
    CiphertextBlob: base64(sealed),
  };
}

function bytesOf({ KeySpec, NumberOfBytes }: DataKeyInput): number {
  if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
    throw new AwsError('ValidationException', 'Please specify either number of bytes or key spec.');
  }
  return NumberOfBytes ?? (KeySpec === 'AES_128' ? 16 : 32);
}
