import { createRequire } from 'node:module';
import database from 'dynalite/db/index.js';
import validations from 'dynalite/validations/index.js';
import * as z from 'zod';
import { AwsError } from '../../operations/operation.ts';

/** Input or output of a DynamoDB call, in the JSON of its API. */
export type Json = Record<string, unknown>;

/** dynalite's operations, called without its HTTP server: the laptop's own endpoint has checked the request. */
export interface TableEngine {
  /** @throws {AwsError} with DynamoDB's codes */
  run(operation: EngineOperation, input: Json): Promise<Json>;
  items(tableName: string): AsyncIterable<unknown>;
  /** What the laptop keeps beside a table, for what dynalite does not know of; undefined where nothing is kept. */
  note(tableName: string): Promise<unknown>;
  saveNote(tableName: string, note: unknown): Promise<void>;
  close(): Promise<void>;
}

export const ENGINE_OPERATIONS = [
  'BatchGetItem',
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DeleteTable',
  'DescribeTable',
  'GetItem',
  'ListTables',
  'ListTagsOfResource',
  'PutItem',
  'Query',
  'Scan',
  'TagResource',
  'UntagResource',
  'UpdateItem',
  'UpdateTable',
] as const;
export type EngineOperation = (typeof ENGINE_OPERATIONS)[number];

interface Implementation {
  readonly action: (store: object, input: object, done: Done) => void;
  readonly types: object;
  readonly custom: unknown;
}

type Done = (error: unknown, output?: Json) => void;

/** How dynalite reports what DynamoDB would answer with an error. */
const Refusal = z.object({
  statusCode: z.int(),
  body: z.object({
    __type: z.string(),
    message: z.string().optional(),
    Message: z.string().optional(),
  }),
});

/** @param directory  of the LevelDB; memory only without */
export async function openTableEngine(options: {
  readonly directory?: string;
  readonly accountId: string;
  readonly region: string;
}): Promise<TableEngine> {
  const { directory, accountId, region } = options;
  const store = database.create({
    ...(directory !== undefined && { path: directory }),
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
  });
  await store.db.open();
  store.tableDb.awsAccountId = accountId;
  store.tableDb.awsRegion = region;

  return {
    async run(operation, input) {
      const { action, types, custom } = IMPLEMENTATIONS[operation];
      try {
        const checked = validations.checkTypes(input, types);
        validations.checkValidations(checked, types, custom, store);
        return await new Promise<Json>((resolve, reject) => {
          action(store, checked, (error, output = {}) => (error ? reject(error) : resolve(output)));
        });
      } catch (error) {
        throw asAwsError(error);
      }
    },

    items: (tableName) => store.getItemDb(tableName).createValueStream({}),
    note: (tableName) => store.db.get(noteKey(tableName)),
    saveNote: (tableName, note) => store.db.put(noteKey(tableName), note),

    close: () =>
      new Promise((resolve, reject) => {
        store.db.close((error) => (error ? reject(error) : resolve()));
      }),
  };
}

/** Input members that an operation of the engine understands; it would drop all others without a word. */
export const understoodMembers = (operation: EngineOperation): ReadonlySet<string> =>
  new Set(Object.keys(IMPLEMENTATIONS[operation].types));

const noteKey = (tableName: string): string => `note~${tableName}`;

const require = createRequire(import.meta.url);

const IMPLEMENTATIONS = Object.fromEntries(
  ENGINE_OPERATIONS.map((operation) => [operation, implementationOf(operation)]),
) as Readonly<Record<EngineOperation, Implementation>>;

function implementationOf(operation: EngineOperation): Implementation {
  const file = `${operation.charAt(0).toLowerCase()}${operation.slice(1)}.js`;
  return {
    action: require(`dynalite/actions/${file}`),
    ...require(`dynalite/validations/${file}`),
  };
}

function asAwsError(error: unknown): unknown {
  const refusal = Refusal.safeParse(error);
  if (!refusal.success) return error;
  const { statusCode, body } = refusal.data;
  const code = body.__type.split('#').at(-1) ?? body.__type;
  return new AwsError(code, body.message ?? body.Message ?? code, statusCode);
}
