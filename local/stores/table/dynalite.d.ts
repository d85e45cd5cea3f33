/** The rooms of dynalite behind its HTTP server, as far as the table engine enters them. */
declare module 'dynalite/db/index.js' {
  import type { Readable } from 'node:stream';

  type Callback<Result> = (error: unknown, result: Result) => void;

  interface SubDatabase {
    createValueStream(range: Record<string, never>): Readable;
  }

  interface Store {
    readonly db: {
      open(): Promise<void>;
      get(key: string): Promise<unknown>;
      put(key: string, value: unknown): Promise<void>;
      close(done: Callback<unknown>): void;
    };
    readonly tableDb: { awsAccountId: string; awsRegion: string };
    getItemDb(tableName: string): SubDatabase;
  }

  interface Options {
    readonly path?: string;
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly updateTableMs?: number;
  }

  const database: { create(options: Options): Store };
  export default database;
}

declare module 'dynalite/validations/index.js' {
  const validations: {
    checkTypes(input: object, types: object): object;
    checkValidations(input: object, types: object, custom: unknown, store: object): void;
  };
  export default validations;
}
