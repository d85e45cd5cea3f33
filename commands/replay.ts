import { parseArgs } from 'node:util';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { SQSClient } from '@aws-sdk/client-sqs';
import { type Command, FAILED, OK, type Terminal, UsageError } from './command.ts';
import { type Letter, openDeadLetters, type Report } from './dead-letters.ts';
import { printable } from './printable.ts';
import { findTarget, TARGET_OPTIONS, targetUsage } from './target.ts';

/** `npm run replay`: dead letters back on the stream or queue they came from; what is still wrong comes back to the queue. */
export const replay: Command = {
  name: 'replay',
  summary: 'Sends dead letters back through, with their own id, receive time and principal.',
  usage: `npm run replay -- [options]

  --list             only show them, with the reason; nothing is sent
  --code <code>      only letters with this code, as MALFORMED_PAYLOAD
  --function <name>  only letters of this function, as ingest
  --error-actions    instead of dead letters: what the telemetry rule could not write to its stream.
                     A rule's error action tells neither principal nor time, so those readings
                     say \`unrecorded\`, and the time at which the error action came
  --max <n>          at most so many (1000)
${targetUsage(21)}`,
  async run(args, terminal) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...TARGET_OPTIONS,
        list: { type: 'boolean', default: false },
        code: { type: 'string' },
        function: { type: 'string' },
        'error-actions': { type: 'boolean', default: false },
        max: { type: 'string', default: '1000' },
      },
    });
    const max = Number(values.max);
    if (!Number.isInteger(max) || max < 1)
      throw new UsageError(`--max wants a whole number above 0, not ${values.max}.`);
    const target = findTarget(values);
    const letters = openDeadLetters({
      sqs: new SQSClient({ ...target.client }),
      kinesis: new KinesisClient({ ...target.client }),
      stage: target.stage,
    });
    const wanted = (letter: Letter) =>
      (values.code === undefined || letter.code === values.code) &&
      (values.function === undefined || letter.function === values.function);
    const queue = values['error-actions'] ? 'error-actions' : 'dead-letters';
    const report = await letters.walk({ queue, max, wanted, send: !values.list });
    if (values.json) terminal.out(`${JSON.stringify(report)}\n`);
    else show(report, values.list, terminal);
    return report.failures.length === 0 ? OK : FAILED;
  },
};

function show({ letters, failures }: Report, listed: boolean, terminal: Terminal): void {
  for (const { function: name, code, issues, partitionKey, failedAtMs } of letters) {
    const at = new Date(failedAtMs).toISOString();
    const line = `${at}  ${name}  ${partitionKey}  ${code}  ${issues.join('; ')}`;
    terminal.out(`${printable(line)}\n`);
  }
  for (const failure of failures) terminal.err(`${failure}\n`);
  const count = (letters.length - failures.length).toLocaleString('en-US');
  if (listed) terminal.out(`Dead letters: ${count}. Without --list they are sent back through.\n`);
  else terminal.out(`Dead letters sent back through: ${count}.\n`);
}
