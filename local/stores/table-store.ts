import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import { AwsError } from '../operations/operation.ts';
import { type EngineOperation, type Json, openTableEngine } from './table/engine.ts';
import { engineInput } from './table/lacking.ts';
import {
  checkSameKeys,
  checkTableProperties,
  engineProperties,
  TableSettings,
  type TimeToLiveSpecification,
  tableSettings,
  tagsOf,
  withoutNulls,
} from './table/properties.ts';
import { deletionOf, isExpired, parseItem } from './table/time-to-live.ts';

export { ENGINE_OPERATIONS, type EngineOperation, type Json } from './table/engine.ts';
export { tableNameOf } from './table/lacking.ts';
export { TimeToLiveSpecification } from './table/properties.ts';

/** DynamoDB tables. Errors are `AwsError` with DynamoDB's codes. */
export interface TableStore {
  /**
   * Makes the table that a template declares, or takes over the one that is kept with the same keys and indexes.
   *
   * @param properties  of an `AWS::DynamoDB::Table`, intrinsic functions resolved, with `TableName`
   * @throws {AwsError} `ValidationException`, naming properties that the laptop lacks
   */
  create(properties: Json): Promise<void>;
  /** One call of the API; what the engine lacks is refused by name. */
  run(operation: EngineOperation, input: Json): Promise<Json>;
  /** @returns the attribute by which items of the table expire, if they do */
  timeToLive(tableName: string): Promise<string | undefined>;
  setTimeToLive(tableName: string, specification: TimeToLiveSpecification): Promise<void>;
  /** Deletes what has expired. @returns how many items that were */
  sweep(nowMs: number): Promise<number>;
  /** Customer key of an encrypted table. */
  keyArnOf(tableName: string): string | undefined;
  close(): Promise<void>;
}

const Description = z.looseObject({
  TableName: z.string(),
  TableArn: z.string(),
  TableStatus: z.string(),
  KeySchema: z.array(z.object({ AttributeName: z.string(), KeyType: z.string() })),
});

/**
 * @param directory  where tables outlive the process; memory only without
 * @param keyArn     resolves a key id, ARN or alias, as a table's encryption names it
 */
export async function createTableStore(options: {
  readonly directory?: string;
  readonly accountId: string;
  readonly region: string;
  readonly keyArn?: (reference: string) => string;
}): Promise<TableStore> {
  const { keyArn = (reference) => reference } = options;
  const engine = await openTableEngine(options);
  const settings = new Map<string, TableSettings>();

  const describe = async (tableName: string) => {
    const { Table } = await engine.run('DescribeTable', { TableName: tableName });
    return Description.parse(Table);
  };

  const exists = async (tableName: string): Promise<boolean> => {
    try {
      await describe(tableName);
      return true;
    } catch (error) {
      if (error instanceof AwsError && error.code === 'ResourceNotFoundException') return false;
      throw error;
    }
  };

  const tableNames = async (after?: string): Promise<string[]> => {
    const page = await engine.run(
      'ListTables',
      after === undefined ? {} : { ExclusiveStartTableName: after },
    );
    const { TableNames, LastEvaluatedTableName: last } = z
      .object({ TableNames: z.array(z.string()), LastEvaluatedTableName: z.string().optional() })
      .parse(page);
    return last === undefined ? TableNames : [...TableNames, ...(await tableNames(last))];
  };

  const keep = async (tableName: string, next: TableSettings): Promise<void> => {
    settings.set(tableName, next);
    await engine.saveNote(tableName, next);
  };

  const settingsOf = (tableName: string): TableSettings =>
    settings.get(tableName) ?? { deletionProtection: false };

  const makeTable = async (properties: Json): Promise<Json> => {
    const output = await engine.run(
      'CreateTable',
      engineInput('CreateTable', engineProperties(properties)),
    );
    const { TableName, TableArn } = Description.parse(output['TableDescription']);
    await keep(TableName, tableSettings(properties, keyArn));
    while ((await describe(TableName)).TableStatus === 'CREATING') await setTimeout(1);
    const Tags = tagsOf(properties);
    if (Tags.length > 0) await engine.run('TagResource', { ResourceArn: TableArn, Tags });
    return { TableDescription: shown(await describe(TableName)) };
  };

  const shown = (table: z.infer<typeof Description>): Json => {
    const { keyArn: arn, deletionProtection } = settingsOf(table.TableName);
    const sse = arn && { Status: 'ENABLED', SSEType: 'KMS', KMSMasterKeyArn: arn };
    return {
      ...table,
      DeletionProtectionEnabled: deletionProtection,
      ...(sse && { SSEDescription: sse }),
    };
  };

  const deleteTable = async (input: Json): Promise<Json> => {
    const name = String(input['TableName']);
    if (settingsOf(name).deletionProtection) {
      throw new AwsError('ValidationException', `Table ${name} is protected against deletion.`);
    }
    const output = await engine.run('DeleteTable', input);
    settings.delete(name);
    await engine.saveNote(name, { deletionProtection: false });
    return output;
  };

  /** Operations that touch more than the engine. */
  const special: Partial<Record<EngineOperation, (input: Json) => Promise<Json>>> = {
    DeleteTable: deleteTable,
    DescribeTable: async (input) => ({ Table: shown(await describe(String(input['TableName']))) }),
  };

  const sweepTable = async (tableName: string, attribute: string, nowMs: number) => {
    const keyNames = (await describe(tableName)).KeySchema.map((key) => key.AttributeName);
    let deleted = 0;
    for await (const value of engine.items(tableName)) {
      const item = parseItem(value);
      if (!isExpired(item, attribute, nowMs)) continue;
      try {
        await engine.run('DeleteItem', deletionOf(item, attribute, tableName, keyNames));
        deleted++;
      } catch (error) {
        const renewed =
          error instanceof AwsError && error.code === 'ConditionalCheckFailedException';
        if (!renewed) throw error;
      }
    }
    return deleted;
  };

  for (const name of await tableNames()) {
    const note = TableSettings.safeParse(await engine.note(name));
    if (note.success) settings.set(name, note.data);
  }

  return {
    async create(given) {
      const properties = withoutNulls(given);
      checkTableProperties(properties);
      const name = z.string().parse(properties['TableName']);
      if (!(await exists(name))) {
        await makeTable(properties);
        return;
      }
      checkSameKeys(properties, await describe(name));
      await keep(name, tableSettings(properties, keyArn));
    },

    async run(operation, input) {
      if (operation === 'CreateTable') {
        checkTableProperties(withoutNulls(input));
        return await makeTable(withoutNulls(input));
      }
      const checked = engineInput(operation, input);
      return await (special[operation]?.(checked) ?? engine.run(operation, checked));
    },

    async timeToLive(tableName) {
      await describe(tableName);
      return settingsOf(tableName).timeToLiveAttribute;
    },

    async setTimeToLive(tableName, { AttributeName, Enabled }) {
      await describe(tableName);
      const { timeToLiveAttribute: current, ...rest } = settingsOf(tableName);
      checkTimeToLive(current, AttributeName, Enabled);
      await keep(tableName, Enabled ? { ...rest, timeToLiveAttribute: AttributeName } : rest);
    },

    async sweep(nowMs) {
      let deleted = 0;
      for (const [name, { timeToLiveAttribute }] of settings) {
        if (timeToLiveAttribute === undefined) continue;
        deleted += await sweepTable(name, timeToLiveAttribute, nowMs);
      }
      return deleted;
    },

    keyArnOf: (tableName) => settings.get(tableName)?.keyArn,
    close: () => engine.close(),
  };
}

function checkTimeToLive(current: string | undefined, attribute: string, enable: boolean): void {
  if (enable && current !== undefined) {
    throw new AwsError('ValidationException', 'TimeToLive is already enabled');
  }
  if (!enable && current === undefined) {
    throw new AwsError('ValidationException', 'TimeToLive is already disabled');
  }
  if (!enable && current !== attribute) {
    throw new AwsError(
      'ValidationException',
      `TimeToLive is active on a different AttributeName: current AttributeName is ${current}`,
    );
  }
}
