import * as z from 'zod';
import { type CheckName, isCheckName } from '../../../core/registry/index.ts';
import type { Auditor } from '../../../runtime/audit/auditor.ts';
import type { Mitigator } from '../../../runtime/audit/mitigator.ts';
import type { AuditStore } from '../../../stores/audit-store.ts';
import type { LoggingStore } from '../../../stores/logging-store.ts';
import { count } from '../iot-call.ts';

/** What the audits' part of the control plane works on. */
export interface AuditDeps {
  readonly audits: AuditStore;
  readonly auditor: Auditor;
  readonly mitigator: Mitigator;
  readonly logging: LoggingStore;
}

export const CheckNameInput = z.string().refine(isCheckName, 'no check of Device Defender Audit');

/** An object by the names of checks, as a map. */
export const byCheck = <T>(value: z.ZodType<T>) =>
  z.record(z.string(), value).transform((record, context): ReadonlyMap<CheckName, T> => {
    const entries: [CheckName, T][] = [];
    for (const [name, one] of Object.entries(record)) {
      if (isCheckName(name)) entries.push([name, one]);
      else context.addIssue(`${name} is no check of Device Defender Audit`);
    }
    return new Map(entries);
  });

/** Times within a body are seconds, with a fraction. */
export const BodyTime = z.number().transform((value) => value * 1000);
/** Times within a query are ISO 8601. */
export const QueryTime = z.iso.datetime({ offset: true }).transform(Date.parse);

/** Members of a page where it is asked for in a body. */
export const bodyPageMembers = {
  nextToken: z.string().optional(),
  maxResults: z.int().min(1).max(250).optional(),
};

export const queryPageMembers = {
  nextToken: z.string().optional(),
  maxResults: count(1, 250).optional(),
};
