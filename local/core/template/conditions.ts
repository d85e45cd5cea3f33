import { evaluate, type Scope } from './intrinsics.ts';
import { TemplateProblem } from './problem.ts';

const operands = (argument: unknown, least: number, most: number, path: string) => {
  if (!Array.isArray(argument) || argument.length < least || argument.length > most) {
    const wanted = least === most ? `${least}` : `${least} to ${most}`;
    throw new TemplateProblem(path, `takes a list of ${wanted}`);
  }
  return argument as readonly unknown[];
};

/** The truth of one entry of a template's `Conditions`, asking `scope` for the others. */
export function holds(expression: unknown, path: string, scope: Scope): boolean {
  const [entry, more] = Object.entries(expression ?? {}) as [string, unknown][];
  if (!entry || more) throw new TemplateProblem(path, 'takes exactly one condition function');
  const [name, argument] = entry;
  const at = `${path}.${name}`;
  const each = (items: readonly unknown[]) =>
    items.map((item, index) => holds(item, `${at}[${index}]`, scope));
  switch (name) {
    case 'Condition':
      return scope.condition(String(argument), at);
    case 'Fn::Equals': {
      const [left, right] = operands(argument, 2, 2, at).map((item) => evaluate(item, at, scope));
      return sameText(left, right);
    }
    case 'Fn::And':
      return each(operands(argument, 2, 10, at)).every(Boolean);
    case 'Fn::Or':
      return each(operands(argument, 2, 10, at)).some(Boolean);
    case 'Fn::Not':
      return !each(operands(argument, 1, 1, at))[0];
    default:
      throw new TemplateProblem(path, `${name} is not supported in a condition`);
  }
}

/** CloudFormation compares as text: the number 1 equals "1". */
const sameText = (left: unknown, right: unknown): boolean =>
  typeof left === 'object' || typeof right === 'object'
    ? JSON.stringify(left) === JSON.stringify(right)
    : String(left) === String(right);
