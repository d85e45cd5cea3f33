import * as z from 'zod';
import { ENGINE_OPERATIONS } from '../../stores/table-store.ts';
import { type Operation, operation } from '../operation.ts';
import { API, type DynamoDbDeps, needs } from './access.ts';

const Input = z.record(z.string(), z.unknown());

/** The calls that dynalite answers, all alike but for what they need; batches have a file of their own. */
export const engineCalls = (deps: DynamoDbDeps): Operation[] =>
  ENGINE_OPERATIONS.filter((name) => !name.startsWith('Batch')).map((name) =>
    operation({
      route: { target: `${API}.${name}` },
      input: Input,
      needs: (input) => needs(deps, name, input),
      run: ({ input }) => deps.tables.run(name, input),
    }),
  );
