import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { makeSecret } from '../../core/access/device-secret.ts';
import type { peppers } from './pepper.ts';
import type { SecretTable } from './secret-table.ts';

/** New secrets are made under this pepper; older ones stay valid under theirs. */
const PEPPER_VERSION = 1;

interface Owner {
  readonly thing: string;
  readonly fleet: string;
  readonly expiresAtMs?: number | undefined;
}

/** Where an operator gets secrets for devices that have no certificate. */
export const secretDesk = ({
  table,
  pepper,
  randomBytes,
  now,
}: {
  readonly table: Pick<SecretTable, 'add' | 'revoke' | 'ofThing' | 'sealedPepper'>;
  readonly pepper: Pick<ReturnType<typeof peppers>, 'open' | 'make'>;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly now: () => number;
}) => ({
  /** @returns the secret itself, which is in no store: it is shown once */
  async issue({ thing, fleet, expiresAtMs }: Owner): Promise<{ id: string; text: string }> {
    if ((await table.sealedPepper(PEPPER_VERSION)) === undefined) await makeOnce(pepper);
    const bytes = await pepper.open(PEPPER_VERSION);
    const { text, kept } = makeSecret(
      { thing, fleet, createdAtMs: now(), expiresAtMs },
      { version: PEPPER_VERSION, bytes },
      randomBytes,
    );
    await table.add(kept);
    return { id: kept.id, text };
  },

  /** From then on it is refused; connections made with it end at their next refresh. */
  revoke: (id: string): Promise<void> => table.revoke(id),

  /** @returns ids of the secrets of a thing that were active until now */
  async revokeAll(thing: string): Promise<readonly string[]> {
    const active = (await table.ofThing(thing)).filter(({ status }) => status === 'active');
    for (const { id } of active) await table.revoke(id);
    return active.map(({ id }) => id);
  },
});

/** Two operators who begin at once share the pepper of the first. */
async function makeOnce(pepper: Pick<ReturnType<typeof peppers>, 'make'>): Promise<void> {
  try {
    await pepper.make(PEPPER_VERSION);
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}
