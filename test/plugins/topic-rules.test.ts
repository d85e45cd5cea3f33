import { resolve } from 'node:path';
import { expect, it } from '@jest/globals';
import { packageService, type Template } from '../support/template.ts';
import { changed } from '../support/template-change.ts';

const HOOK = 'after:aws:package:finalize:mergeCustomProviderResources';
const ROOT = resolve(import.meta.dirname, '../..');

interface Plugin {
  readonly hooks: Readonly<Record<string, () => void>>;
}

/** What the packager says of a template, or nothing. */
async function verdictOn(template: Template): Promise<string | undefined> {
  const file: string = '../../plugins/topic-rules.mjs';
  const module: { default: new (osls: object) => Plugin } = await import(file);
  const plugin = new module.default({
    classes: { Error },
    serviceDir: ROOT,
    service: {
      provider: { region: 'eu-central-1', compiledCloudFormationTemplate: template },
    },
  });
  try {
    plugin.hooks[HOOK]?.();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

it('the packager takes the rules of the project', async () => {
  expect(await verdictOn(packageService().template)).toBeUndefined();
});

it('the packager refuses a rule that republishes into itself', async () => {
  const action = {
    Republish: { Topic: 'dt/again', RoleArn: { 'Fn::GetAtt': ['TelemetryRole', 'Arn'] } },
  };
  const planted = changed(
    packageService().template,
    'TelemetryRule.Properties.TopicRulePayload.Actions.1',
    action,
  );
  expect(await verdictOn(planted)).toMatch(
    /not to be deployed like this:\n.*\n?.*tributary_dev_telemetry, action 2: Republish.Topic: dt\/again can match its own FROM/,
  );
});
