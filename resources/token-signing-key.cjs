const { createPublicKey, generateKeyPairSync } = require('node:crypto');
const { existsSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const LEAST_BITS = 2048;
const WANTED = `wants an RSA public key of at least ${LEAST_BITS} bits: DER (SPKI) in base64, on one line`;

/**
 * The public half of the key that tokens for the authorizer `signed` are signed with, as PEM: the parameter
 * `tokenSigningPublicKey`, or, where that is `generated`, the half of a pair that is made once for the stage and kept,
 * private half and all, under `.tributary/token-signing/<stage>`. That is for development: who deploys for others
 * gives the key of whatever issues the tokens.
 */
module.exports = async ({ resolveVariable }) => {
  const given = await resolveVariable('param:tokenSigningPublicKey');
  return given === 'generated' ? generated(await resolveVariable('sls:stage')) : pemOf(given);
};

function pemOf(base64) {
  const key = read(base64);
  if (key?.asymmetricKeyType !== 'rsa' || key.asymmetricKeyDetails.modulusLength < LEAST_BITS) {
    throw new Error(`Parameter tokenSigningPublicKey ${WANTED}.`);
  }
  return key.export({ type: 'spki', format: 'pem' });
}

function read(base64) {
  try {
    return createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

function generated(stage) {
  const folder = join(__dirname, '..', '.tributary', 'token-signing', stage);
  const privateFile = join(folder, 'private.key');
  if (!existsSync(privateFile)) make(folder, privateFile);
  return createPublicKey(readFileSync(privateFile)).export({ type: 'spki', format: 'pem' });
}

function make(folder, privateFile) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: LEAST_BITS });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(privateFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
    flag: 'wx',
  });
}
