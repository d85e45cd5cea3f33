import * as z from 'zod';
import { type Operation, operation } from '../operation.ts';
import { API, type DynamoDbDeps, needs } from './access.ts';

const WriteInput = z.looseObject({ RequestItems: z.record(z.string(), z.array(z.unknown())) });

const KeysOfTable = z.looseObject({ Keys: z.array(z.unknown()) });
const GetInput = z.looseObject({ RequestItems: z.record(z.string(), KeysOfTable) });

/** Entries that are to fail come back as `UnprocessedItems`; they are counted through all tables. */
export const batchWriteItem = (deps: DynamoDbDeps): Operation =>
  operation({
    route: { target: `${API}.BatchWriteItem` },
    input: WriteInput,
    needs: (input) => needs(deps, 'BatchWriteItem', input),
    partialFailures: true,
    async run({ input, failIndexes = [] }) {
      const { now, later } = divide(input.RequestItems, failIndexes);
      if (Object.keys(now).length === 0 && failIndexes.length > 0) {
        return { UnprocessedItems: later };
      }
      const output = await deps.tables.run('BatchWriteItem', { ...input, RequestItems: now });
      const unprocessed = z.record(z.string(), z.array(z.unknown())).default({});
      return {
        ...output,
        UnprocessedItems: join(unprocessed.parse(output['UnprocessedItems']), later),
      };
    },
  });

/** Keys that are to fail come back as `UnprocessedKeys`; they are counted through all tables. */
export const batchGetItem = (deps: DynamoDbDeps): Operation =>
  operation({
    route: { target: `${API}.BatchGetItem` },
    input: GetInput,
    needs: (input) => needs(deps, 'BatchGetItem', input),
    partialFailures: true,
    async run({ input, failIndexes = [] }) {
      const { RequestItems: tables } = input;
      const keys = Object.fromEntries(
        Object.entries(tables).map(([table, { Keys }]) => [table, Keys]),
      );
      const { now, later } = divide(keys, failIndexes);
      const withKeys = (divided: Readonly<Record<string, readonly unknown[]>>) =>
        Object.fromEntries(
          Object.entries(divided).map(([table, Keys]) => [table, { ...tables[table], Keys }]),
        );
      if (Object.keys(now).length === 0 && failIndexes.length > 0) {
        return { Responses: {}, UnprocessedKeys: withKeys(later) };
      }
      const output = await deps.tables.run('BatchGetItem', {
        ...input,
        RequestItems: withKeys(now),
      });
      const unprocessed = z.record(z.string(), KeysOfTable).default({});
      const left = unprocessed.parse(output['UnprocessedKeys']);
      return { ...output, UnprocessedKeys: { ...left, ...withKeys(later) } };
    },
  });

type ByTable = Record<string, unknown[]>;

function divide(
  tables: Readonly<Record<string, readonly unknown[]>>,
  failIndexes: readonly number[],
): { readonly now: ByTable; readonly later: ByTable } {
  const now: ByTable = {};
  const later: ByTable = {};
  let at = 0;
  for (const [table, entries] of Object.entries(tables)) {
    for (const entry of entries) {
      const part = failIndexes.includes(at++) ? later : now;
      part[table] = [...(part[table] ?? []), entry];
    }
    if (entries.length === 0) now[table] = [];
  }
  return { now, later };
}

const join = (a: ByTable, b: ByTable): ByTable =>
  Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])].map((table) => [
      table,
      [...(a[table] ?? []), ...(b[table] ?? [])],
    ]),
  );
