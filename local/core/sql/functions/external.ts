import type { Call } from '../ast.ts';
import { fromPlain } from '../plain.ts';
import type { Evaluate } from '../scope.ts';
import { type CompileTools, type FunctionTable, literalText, special } from './function.ts';

/** The role is part of the rule, never of a message. */
function checkRole(call: Call, tools: CompileTools, index: number): void {
  const role = call.args.at(index);
  if (role !== undefined && literalText(role) === undefined) {
    tools.refuse(role, 'the ARN of a role in quotes');
  }
}

/** An argument that names a mode must be one of its literals. */
function checkMode(call: Call, tools: CompileTools, index: number, modes: readonly string[]): void {
  const mode = call.args[index];
  const text = literalText(mode);
  if (mode !== undefined && (text === undefined || !modes.includes(text))) {
    tools.refuse(mode, modes.map((name) => `'${name}'`).join(' or '));
  }
}

function compileCall(call: Call, tools: CompileTools): Evaluate {
  const { name } = call;
  const args = call.args.map((argument) => tools.compile(argument));
  const site = tools.external(call, name, name);
  return (scope) => {
    const values = args.map((evaluate) => evaluate(scope));
    return fromPlain(scope.evaluation.calls.answer(site, name, values));
  };
}

export const EXTERNAL: FunctionTable = {
  /** (arn of the function, JSON) */
  aws_lambda: special(2, 2, compileCall),
  /** (table, partition key name, value[, sort key name, value], role) */
  get_dynamodb: special(4, 6, (call, tools) => {
    if (call.args.length === 5) tools.refuse(call, '4 or 6 arguments of get_dynamodb');
    checkRole(call, tools, -1);
    return compileCall(call, tools);
  }),
  /** (API, thing, role) */
  get_registry_data: special(3, 3, (call, tools) => {
    checkMode(call, tools, 0, ['DescribeThing', 'ListThingGroupsForThing']);
    checkRole(call, tools, -1);
    return compileCall(call, tools);
  }),
  /** (secret, type[, key], role) */
  get_secret: special(3, 4, (call, tools) => {
    checkMode(call, tools, 1, ['SecretString', 'SecretBinary']);
    checkRole(call, tools, -1);
    return compileCall(call, tools);
  }),
  /** (thing[, shadow], role) */
  get_thing_shadow: special(2, 3, (call, tools) => {
    checkRole(call, tools, -1);
    return compileCall(call, tools);
  }),
  /** (model, role, record) */
  machinelearning_predict: special(3, 3, (call, tools) => {
    checkRole(call, tools, 1);
    return compileCall(call, tools);
  }),
};
