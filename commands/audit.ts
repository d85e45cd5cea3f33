import { parseArgs } from 'node:util';
import {
  type AuditFinding,
  DescribeAccountAuditConfigurationCommand,
  DescribeAuditTaskCommand,
  type DescribeAuditTaskResponse,
  IoTClient,
  paginateListAuditFindings,
  StartOnDemandAuditTaskCommand,
  UpdateAccountAuditConfigurationCommand,
} from '@aws-sdk/client-iot';
import { textOfAudit } from './audit-text.ts';
import { checkTrail } from './audit-trail.ts';
import {
  type Command,
  type ExitCode,
  FAILED,
  FailedError,
  OK,
  type Terminal,
  UsageError,
  wrongVerb,
} from './command.ts';
import {
  findTarget,
  type LaptopFile,
  refuseOthers,
  TARGET_OPTIONS,
  type Target,
  targetUsage,
} from './target.ts';

/** AWS's audits take minutes, the laptop's milliseconds. */
const PATIENCE_MS = 15 * 60_000;

/** `npm run audit`: runs Device Defender's audit, here or on AWS, and says what it found. */
export const audit: Command = {
  name: 'audit',
  summary: 'Runs the audit of Device Defender and prints what it found.',
  usage: `npm run audit -- [run] [options]
npm run audit -- show <task id> [options]
npm run audit -- trail --stage <name>

  run              all checks that are enabled, or those of --check; ends with 1 where something was found
  show <task id>   what an audit found that has run
  trail            whether the watch of the control plane sees anything, or is blind for want of a trail
  --check <name>   one check, such as DEVICE_CERTIFICATE_SHARED_CHECK; may be given several times
${targetUsage()}`,
  async run(args, terminal) {
    const { values, positionals, tokens } = parseArgs({
      args: [...args],
      allowPositionals: true,
      tokens: true,
      options: { ...TARGET_OPTIONS, check: { type: 'string', multiple: true } },
    });
    const [verb = 'run', taskId, ...more] = positionals;
    if (!['run', 'show', 'trail'].includes(verb)) throw wrongVerb(verb, ['run', 'show', 'trail']);
    if (verb === 'show' && (taskId === undefined || more.length > 0))
      throw new UsageError('show wants the id of a task.');
    if (verb !== 'show' && taskId !== undefined)
      throw new UsageError(`${verb} takes options only, not '${taskId}'.`);
    const known = verb === 'run' ? ['check'] : [];
    refuseOthers(verb, tokens, known);
    const target = findTarget(values);
    const json = values.json === true;
    if (verb === 'trail') return checkTrail(target, json, terminal);
    const iot = new IoTClient({ ...target.client });
    const task = taskId ?? (await start(values.check, target, iot, terminal));
    return report(task, iot, json, terminal);
  },
};

async function start(
  wanted: readonly string[] | undefined,
  target: Target,
  iot: IoTClient,
  terminal: Terminal,
): Promise<string> {
  const checks = wanted ?? (await enabledChecks(target, iot, terminal));
  const { taskId = '' } = await iot
    .send(new StartOnDemandAuditTaskCommand({ targetCheckNames: [...checks] }))
    .catch((error: unknown) => {
      throw new FailedError(`The audit was refused: ${textOf(error)}`);
    });
  return taskId;
}

async function enabledChecks(
  { laptop, stage }: Target,
  iot: IoTClient,
  terminal: Terminal,
): Promise<readonly string[]> {
  const before = await checksOf(iot);
  if (before.enabled.length > 0)
    return laptop === undefined ? before.enabled : runnable(before.enabled);
  if (laptop === undefined)
    throw new FailedError(
      `No audit check is enabled in this account and region. Deploy ${stage} with --param="deviceDefenderAudit=enabled", or enable them where the account configures its audits.`,
    );
  const checks = runnable(before.all);
  await configureLaptop(checks, laptop, iot);
  terminal.err(`The laptop had no audits configured: ${checks.length} checks are enabled now.\n`);
  return checks;
}

async function checksOf(iot: IoTClient) {
  const { auditCheckConfigurations = {} } = await iot.send(
    new DescribeAccountAuditConfigurationCommand({}),
  );
  const all = Object.entries(auditCheckConfigurations);
  return {
    all: all.map(([name]) => name),
    enabled: all.filter(([, { enabled }]) => enabled === true).map(([name]) => name),
  };
}

/** What the laptop has neither identity pools nor role aliases for is refused by it, by name. */
const runnable = (checks: readonly string[]): readonly string[] =>
  checks.filter((name) => !/COGNITO|ROLE_ALIAS/.test(name));

const configureLaptop = (
  checks: readonly string[],
  { accountId, region, stage }: LaptopFile,
  iot: IoTClient,
) => {
  const roleArn = `arn:aws:iam::${accountId}:role/audit-by-hand`;
  const targetArn = `arn:aws:sns:${region}:${accountId}:tributary-${stage}-findings`;
  return iot.send(
    new UpdateAccountAuditConfigurationCommand({
      roleArn,
      auditNotificationTargetConfigurations: { SNS: { targetArn, roleArn, enabled: true } },
      auditCheckConfigurations: Object.fromEntries(checks.map((name) => [name, { enabled: true }])),
    }),
  );
};

async function report(
  taskId: string,
  iot: IoTClient,
  json: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  const task = await finished(taskId, iot);
  const findings: AuditFinding[] = [];
  for await (const page of paginateListAuditFindings({ client: iot }, { taskId })) {
    findings.push(...(page.findings ?? []));
  }
  if (json) terminal.out(`${JSON.stringify({ taskId, ...task, findings })}\n`);
  else terminal.out(textOfAudit(taskId, task, findings));
  const failed = Object.values(task.auditDetails ?? {}).some(
    ({ checkRunStatus }) => checkRunStatus === 'FAILED',
  );
  return findings.length === 0 && !failed ? OK : FAILED;
}

async function finished(taskId: string, iot: IoTClient): Promise<DescribeAuditTaskResponse> {
  const until = Date.now() + PATIENCE_MS;
  for (let waitMs = 50; Date.now() < until; waitMs = Math.min(waitMs * 2, 5_000)) {
    const { $metadata: _answer, ...task } = await iot
      .send(new DescribeAuditTaskCommand({ taskId }))
      .catch((error: unknown) => {
        throw new FailedError(textOf(error));
      });
    if (task.taskStatus !== 'IN_PROGRESS') return task;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
  throw new FailedError(`Audit ${taskId} is not done yet; \`npm run audit -- show ${taskId}\`.`);
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
