import { NO_SECRET, secretId, verifySecret } from '../../core/access/device-secret.ts';
import type { Identity } from '../../core/access/identity.ts';
import type { peppers } from './pepper.ts';
import type { SecretTable } from './secret-table.ts';

/** Asks the table whose a presented secret is. A made-up one costs as much as a true one. */
export const deviceSecrets =
  (
    table: Pick<SecretTable, 'find'>,
    pepper: Pick<ReturnType<typeof peppers>, 'open'>,
    now: () => number,
  ) =>
  async (text: string): Promise<Identity> => {
    const kept = (await table.find(secretId(text))) ?? NO_SECRET;
    return verifySecret(text, kept, await pepper.open(kept.pepper), now());
  };
