import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const CHECK = 'local/cli/check-rules.ts';

/** Refuses topic rules that AWS would take and that would then lose, redirect or endlessly repeat messages. */
export default class TopicRules {
  constructor(serverless) {
    this.hooks = {
      // by now the template holds what stands under `resources`, and nothing has been written yet
      'after:aws:package:finalize:mergeCustomProviderResources': () => {
        const { compiledCloudFormationTemplate: template, region } = serverless.service.provider;
        const problems = check(serverless.serviceDir, template, region);
        if (problems === '') return;
        throw new serverless.classes.Error(
          `The topic rules are not to be deployed like this:\n${problems}`,
          'TOPIC_RULES_UNSAFE',
        );
      },
    };
  }
}

/** In a process of its own: the check is TypeScript, and this may be an older Node. */
function check(serviceDir, template, region) {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-rules-'));
  try {
    const file = join(folder, 'template.json');
    writeFileSync(file, JSON.stringify(template));
    const path = `${join(serviceDir, 'node_modules/.bin')}${delimiter}${process.env.PATH}`;
    const args = [join(serviceDir, CHECK), '--template', file, '--region', region];
    const env = { ...process.env, PATH: path };
    const output = execFileSync('node', args, { cwd: serviceDir, env, encoding: 'utf8' });
    return output.trimEnd();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
