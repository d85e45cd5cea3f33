import { TemplateProblem } from './problem.ts';
import type { Parameter } from './schema.ts';

export type ParameterValue = string | number | readonly string[] | readonly number[];

const toNumber = (text: string, path: string): number => {
  const number = Number(text);
  if (text.trim() === '' || Number.isNaN(number)) {
    throw new TemplateProblem(path, `"${text}" is not a number`);
  }
  return number;
};

const items = (text: string): string[] => text.split(',').map((item) => item.trim());

const CONVERSIONS: Readonly<Record<string, (text: string, path: string) => ParameterValue>> = {
  String: (text) => text,
  Number: toNumber,
  CommaDelimitedList: items,
  'List<Number>': (text, path) => items(text).map((item) => toNumber(item, path)),
};

function checkText(text: string, parameter: Parameter, path: string): void {
  const { AllowedValues, AllowedPattern, MinLength = 0, MaxLength = Infinity } = parameter;
  if (AllowedValues && !AllowedValues.map(String).includes(text)) {
    throw new TemplateProblem(path, `"${text}" is none of ${AllowedValues.join(', ')}`);
  }
  if (AllowedPattern !== undefined && !new RegExp(`^(?:${AllowedPattern})$`).test(text)) {
    throw new TemplateProblem(path, `"${text}" does not match ${AllowedPattern}`);
  }
  if (text.length < MinLength || text.length > MaxLength) {
    throw new TemplateProblem(path, `needs ${MinLength} to ${MaxLength} characters`);
  }
}

function checkNumber(value: number, parameter: Parameter, path: string): void {
  const { MinValue = -Infinity, MaxValue = Infinity } = parameter;
  if (value < MinValue || value > MaxValue) {
    throw new TemplateProblem(path, `${value} is outside ${MinValue} to ${MaxValue}`);
  }
}

/**
 * The value a parameter has: the one given, else its default. A `Number` becomes a number, so that
 * properties read with a schema see what CloudFormation's own conversion would make of it.
 *
 * @throws {TemplateProblem} no value, a value against the constraints, or a type kept in AWS (`AWS::SSM::…`)
 */
export function parameterValue(
  name: string,
  parameter: Parameter,
  given: string | number | undefined,
): ParameterValue {
  const path = `Parameters.${name}`;
  const convert = CONVERSIONS[parameter.Type];
  if (!convert) throw new TemplateProblem(path, `type ${parameter.Type} is not supported`);
  const raw = given ?? parameter.Default;
  if (raw === undefined) throw new TemplateProblem(path, 'has neither a value nor a default');
  const text = String(raw);
  checkText(text, parameter, path);
  const value = convert(text, path);
  if (typeof value === 'number') checkNumber(value, parameter, path);
  return value;
}
