import type { Need, Operation } from '../../../local/operations/operation.ts';
import { createAwsEndpoint } from '../../../local/servers/aws-endpoint.ts';
import type { Faults } from '../../../local/servers/aws-faults.ts';

export const ACCOUNT = '000000000000';
export const REGION = 'eu-central-1';
/** Requests with this key come from a function, whose role lacks what the test says. */
export const FUNCTION_KEY = 'FUNCTION';

/** The real endpoint around some operations, with a log of what callers had to be granted. */
export async function serve(
  operations: readonly Operation[],
  { denied = [], faults }: { readonly denied?: readonly string[]; readonly faults?: Faults } = {},
) {
  const needs: Need[] = [];
  const endpoint = createAwsEndpoint({
    operations,
    callerOf: (accessKeyId) =>
      accessKeyId === FUNCTION_KEY
        ? {
            kind: 'function',
            functionName: 'tributary-dev-ingest',
            roleArn: `arn:aws:iam::${ACCOUNT}:role/ingest`,
          }
        : { kind: 'operator' },
    authorize(caller, need) {
      if (caller.kind === 'function') needs.push(need);
      const allowed = caller.kind === 'operator' || !denied.includes(need.action);
      return { allowed, explanation: allowed ? 'allowed' : `no statement allows ${need.action}` };
    },
    now: Date.now,
    log: () => {},
    ...(faults !== undefined && { faults }),
  });
  const url = await endpoint.listen(0);
  return { url, needs, close: () => endpoint.close() };
}

/** Configuration of an SDK client that talks to it. */
export const clientOf = (url: string, accessKeyId = 'OPERATOR') => ({
  endpoint: url,
  region: REGION,
  credentials: { accessKeyId, secretAccessKey: 'secret' },
  maxAttempts: 1,
});
