import type { Caller, Need } from '../operations/operation.ts';

/** Whether a caller's role lets it do something; `explanation` says why not, and what would mend it. */
export type Authorize = (
  caller: Caller,
  need: Need,
) => { readonly allowed: boolean; readonly explanation: string };

/** The function as the one who acts, where Lambda does something on its behalf. */
export const actingAs = (functionName: string, roleArn: string): Caller => ({
  kind: 'function',
  functionName,
  roleArn,
});

const SENDING: Readonly<Record<string, string>> = {
  lambda: 'lambda:InvokeFunction',
  sns: 'sns:Publish',
  sqs: 'sqs:SendMessage',
};

export const serviceOf = (arn: string): string => arn.split(':')[2] ?? '';

/** What is left of an ARN after its account: a queue's or topic's name, `function:<name>`, `stream/<name>`. */
export const resourceOf = (arn: string): string => arn.split(':').slice(5).join(':');

/**
 * The grant that sending a record to a destination takes.
 *
 * @throws {Error} naming a destination that is neither queue, topic nor function
 */
export function destinationNeed(arn: string): Need {
  const action = SENDING[serviceOf(arn)];
  if (action !== undefined) return { action, resource: arn };
  throw new Error(`${arn}: a destination on the laptop is a queue, a topic or a function`);
}
