/** What a function's answer says of its batch: all done, all failed, or these items failed. */
export type BatchVerdict =
  | { readonly kind: 'success' }
  | { readonly kind: 'failure' }
  | { readonly kind: 'partial'; readonly failed: ReadonlySet<string> };

const SUCCESS: BatchVerdict = { kind: 'success' };
const FAILURE: BatchVerdict = { kind: 'failure' };

/**
 * Reads the answer of a function that reports batch item failures. Nothing, `{}` and an empty or null
 * list are a success; an item without a usable `itemIdentifier`, one that was not in the batch, and
 * an answer that is no object fail the whole batch.
 *
 * @param identifiers  of the items of the batch
 * @see Lambda Developer Guide, "Configuring partial batch response with Kinesis Data Streams and
 *   Lambda", success and failure conditions
 */
export function readBatchResponse(
  response: unknown,
  identifiers: ReadonlySet<string>,
): BatchVerdict {
  if (response === null || response === undefined) return SUCCESS;
  if (typeof response !== 'object') return FAILURE;
  const failures = 'batchItemFailures' in response ? response.batchItemFailures : null;
  if (failures === null || failures === undefined) return SUCCESS;
  if (!Array.isArray(failures)) return FAILURE;
  if (failures.length === 0) return SUCCESS;
  const failed = new Set<string>();
  for (const identifier of failures.map(identifierOf)) {
    if (typeof identifier !== 'string' || !identifiers.has(identifier)) return FAILURE;
    failed.add(identifier);
  }
  return { kind: 'partial', failed };
}

const identifierOf = (item: unknown): unknown =>
  typeof item === 'object' && item !== null && 'itemIdentifier' in item
    ? item.itemIdentifier
    : undefined;
