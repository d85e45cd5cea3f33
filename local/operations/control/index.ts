import * as z from 'zod';
import type { RefusalBook } from '../../runtime/refusal-book.ts';
import { type Operation, operation } from '../operation.ts';

const number = z
  .string()
  .regex(/^\d{1,9}$/, 'not a number')
  .transform(Number);

/** `GET /refusals?after=&limit=&principal=&clientId=&action=`: why somebody was refused. No call of AWS. */
const refusals = (book: RefusalBook): Operation =>
  operation({
    route: { service: 'tributary', method: 'GET', path: '/refusals' },
    input: z.strictObject({
      after: number.optional(),
      limit: number.optional(),
      principal: z.string().optional(),
      clientId: z.string().optional(),
      action: z.string().optional(),
    }),
    needs: () => [],
    run: ({ input }) => {
      const given = Object.entries(input).filter(([, value]) => value !== undefined);
      return { refusals: book.read(Object.fromEntries(given)) };
    },
  });

/** What the laptop tells of itself at the address of its AWS APIs. */
export const controlOperations = (deps: { readonly refusals: RefusalBook }): Operation[] => [
  refusals(deps.refusals),
];
