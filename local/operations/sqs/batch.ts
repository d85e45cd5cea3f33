import { sqsError } from '../../stores/queue/error.ts';
import { AwsError } from '../operation.ts';

const MAX_ENTRIES = 10;
const ENTRY_ID = /^[A-Za-z0-9_-]{1,80}$/;

interface Entry {
  readonly Id: string;
}

/**
 * Does one entry after the other: a failing one is reported, and the others go on.
 *
 * @param failIndexes  entries that are to fail by the service's fault
 * @throws {AwsError} with SQS's codes, where the batch as a whole is at fault
 */
export function runBatch<Item extends Entry, Output extends object>(
  entries: readonly Item[],
  runEntry: (entry: Item) => Output,
  failIndexes: readonly number[] = [],
) {
  checkEntries(entries);
  const successful: (Output & Entry)[] = [];
  const failed: object[] = [];
  for (const [at, entry] of entries.entries()) {
    try {
      if (failIndexes.includes(at)) throw internalError();
      successful.push({ Id: entry.Id, ...runEntry(entry) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      failed.push({
        Id: entry.Id,
        SenderFault: error.statusCode < 500,
        Code: error.code,
        Message: error.message,
      });
    }
  }
  return { Successful: successful, Failed: failed };
}

const internalError = (): AwsError =>
  sqsError('InternalError', 'The service could not do this; try again.', 500);

function checkEntries(entries: readonly Entry[]): void {
  if (entries.length === 0) {
    throw sqsError('EmptyBatchRequest', 'There must be at least one entry in the request.');
  }
  if (entries.length > MAX_ENTRIES) {
    throw sqsError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${MAX_ENTRIES}. You have sent ${entries.length}.`,
    );
  }
  const strange = entries.find(({ Id }) => !ENTRY_ID.test(Id));
  if (strange !== undefined) {
    throw sqsError(
      'InvalidBatchEntryId',
      `${JSON.stringify(strange.Id)} is no batch entry id: 1 to 80 letters, digits, hyphens and underscores.`,
    );
  }
  const ids = entries.map(({ Id }) => Id);
  const repeated = ids.find((id, at) => ids.indexOf(id) !== at);
  if (repeated !== undefined) {
    throw sqsError('BatchEntryIdsNotDistinct', `Id ${repeated} repeated.`);
  }
}
