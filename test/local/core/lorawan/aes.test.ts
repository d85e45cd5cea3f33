import { describe, expect, it } from '@jest/globals';
import { cmac, decryptBlocks, encryptBlocks } from '../../../../local/core/lorawan/aes.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

const KEY = hex('2b7e151628aed2a6abf7158809cf4f3c');
const MESSAGE = hex(
  '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
);

describe('AES-CMAC', () => {
  it.each([
    [0, 'bb1d6929e95937287fa37d129b756746'],
    [16, '070a16b46b4d4144f79bdd9dd04a287c'],
    [40, 'dfa66747de9ae63030ca32611497c827'],
    [64, '51f0bebf7e3b9d92fc49741779363cfe'],
  ])('gives the value of RFC 4493 for %i bytes', (length, expected) => {
    expect(cmac(KEY, MESSAGE.subarray(0, length)).toString('hex')).toBe(expected);
  });
});

describe('AES-128', () => {
  const key = hex('000102030405060708090a0b0c0d0e0f');
  const clear = hex('00112233445566778899aabbccddeeff');
  const encrypted = hex('69c4e0d86a7b0430d8cdb78070b4c55a');

  it('gives the example of FIPS 197, appendix C.1', () => {
    expect(encryptBlocks(key, clear)).toEqual(encrypted);
    expect(decryptBlocks(key, encrypted)).toEqual(clear);
  });

  it('takes whole blocks only', () => {
    expect(() => encryptBlocks(key, clear.subarray(1))).toThrow();
  });
});
