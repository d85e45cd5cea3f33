import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { resolveTemplate } from '../core/template/index.ts';
import { checkRules } from '../rule-checks/index.ts';

/**
 * Checks the topic rules of a compiled template, for the packager, which may run on an older Node. Prints a line for
 * each thing that is wrong, and nothing where nothing is.
 */
const { values } = parseArgs({
  options: { template: { type: 'string', default: '' }, region: { type: 'string', default: '' } },
});
const place = { accountId: '000000000000', region: values.region };
const template: unknown = JSON.parse(readFileSync(values.template, 'utf8'));
const stack = resolveTemplate(template, { ...place, partition: 'aws', stackName: 'tributary' });
for (const { where, problem } of checkRules(stack, place)) {
  process.stdout.write(`${where}: ${problem}\n`);
}
