import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  type Asked,
  explainAccess,
  principalsOf,
  UnknownPrincipal,
} from '../local/boot/explain.ts';
import { type Command, FAILED, FailedError, OK, UsageError } from './command.ts';
import { COMPILED_TEMPLATE, packageService } from './package-service.ts';

/** `npm run explain`: what a policy of the template says, without anything running. */
export const explain: Command = {
  name: 'explain',
  summary:
    'Says whether the packaged template lets somebody do something, by which statement, with which values, and what would change that.',
  usage: `npm run explain -- --principal <who> --action <service:Name> --resource <what>

  --principal <who>    the name of an IoT policy, a function or a role in the template: tributary-dev-device, ingest
  --action <name>      iot:Publish, kinesis:PutRecords, …
  --resource <what>    an ARN, or what follows the account in one: topic/dt/acme/probe-1/telemetry, client/probe-1

  Over MQTT, the certificate of --thing in --fleet, connected as --client-id:
  --thing <name>       the thing the certificate is attached to, and its common name
  --fleet <name>       the thing's attribute, and the certificate's organization (demo)
  --client-id <id>     the thing's name unless told otherwise
  --https              over HTTPS, where there is no client id and thing variables have no value
  --context <k=v>      any other policy variable or condition key; may be repeated
  --connect <wish>     PersistentConnect or LastWill, for iot:Connect; may be repeated
  --template <file>    a compiled template (the one that was packaged last, or one packaged now)
  --stage <name>       the stage to package where there is none (dev)
  --json               print data instead of text`,
  async run(args, terminal) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        principal: { type: 'string' },
        action: { type: 'string' },
        resource: { type: 'string' },
        thing: { type: 'string' },
        fleet: { type: 'string', default: 'demo' },
        'client-id': { type: 'string' },
        https: { type: 'boolean', default: false },
        context: { type: 'string', multiple: true, default: [] },
        connect: { type: 'string', multiple: true, default: [] },
        template: { type: 'string' },
        stage: { type: 'string', default: 'dev' },
        json: { type: 'boolean', default: false },
      },
    });
    const { principal, action, resource, thing, fleet, https } = values;
    if (principal === undefined || action === undefined || resource === undefined) {
      throw new UsageError('Say --principal, --action and --resource.');
    }
    const asked: Asked = {
      principal,
      action,
      resource,
      fleet,
      overHttps: https,
      ...(thing !== undefined && { thing }),
      ...(values['client-id'] !== undefined && { clientId: values['client-id'] }),
      connectAttributes: values.connect,
      context: Object.fromEntries(values.context.map(pairOf)),
    };
    const answer = decided(await templateOf(values.template, values.stage), asked);
    if (values.json) terminal.out(`${JSON.stringify(answer)}\n`);
    else {
      terminal.out(`${answer.allowed ? 'Allowed' : 'Refused'}: ${answer.explanation}\n`);
      if (answer.fix !== undefined) terminal.out(`To allow it: ${answer.fix}.\n`);
    }
    return answer.allowed ? OK : FAILED;
  },
};

function pairOf(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--context wants key=value, not ${text}.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

async function templateOf(file: string | undefined, stage: string): Promise<unknown> {
  if (file === undefined && !existsSync(COMPILED_TEMPLATE)) await packageService(stage);
  const path = file ?? COMPILED_TEMPLATE;
  if (!existsSync(path)) throw new FailedError(`There is no ${path}.`);
  return JSON.parse(readFileSync(path, 'utf8'));
}

function decided(template: unknown, asked: Asked): ReturnType<typeof explainAccess> {
  try {
    return explainAccess(template, asked);
  } catch (error) {
    if (!(error instanceof UnknownPrincipal)) throw error;
    const known = principalsOf(template).join(', ');
    throw new FailedError(`The template has no ${asked.principal}; it has ${known}.`);
  }
}
