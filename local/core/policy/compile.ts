import { type CompiledCondition, compileConditions } from './condition.ts';
import {
  type Flavour,
  fault,
  list,
  type Place,
  type PolicyDocument,
  type PolicySource,
  type PolicyStatement,
  parsePolicy,
  within,
} from './document.ts';
import { compilePattern, matches, type Pattern, type PatternRules } from './pattern.ts';
import { variableRule } from './variables.ts';

export interface CompiledStatement {
  readonly policy: string;
  /** Its `Sid`, or its place in the list. */
  readonly id: string | number;
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly Pattern[];
  /** True for `NotAction`. */
  readonly exceptActions: boolean;
  readonly resources: readonly Pattern[];
  /** True for `NotResource`. */
  readonly exceptResources: boolean;
  readonly conditions: readonly CompiledCondition[];
}

export interface Candidates {
  readonly denies: readonly CompiledStatement[];
  readonly allows: readonly CompiledStatement[];
}

/** Policies made ready for many decisions: compile once per connection or role. */
export interface CompiledPolicies {
  readonly flavour: Flavour;
  readonly statements: readonly CompiledStatement[];
  /** The statements that speak of this action. */
  readonly about: (action: string) => Candidates;
}

/**
 * Unites policies; which of them decided stays known by name.
 *
 * @throws {PolicyError} naming policy and path of what is not a policy of this flavour
 */
export function compilePolicies(
  sources: readonly PolicySource[],
  flavour: Flavour,
): CompiledPolicies {
  const statements = sources.flatMap((source) => compileDocument(source, flavour));
  return { flavour, statements, about: remembered(statements) };
}

const REMEMBERED_ACTIONS = 500;

function remembered(statements: readonly CompiledStatement[]): (action: string) => Candidates {
  const known = new Map<string, Candidates>();
  return (action) => {
    const before = known.get(action);
    if (before !== undefined) return before;
    const relevant = statements.filter((statement) => speaksOf(statement, action.toLowerCase()));
    const found = {
      denies: relevant.filter(({ effect }) => effect === 'Deny'),
      allows: relevant.filter(({ effect }) => effect === 'Allow'),
    };
    if (known.size < REMEMBERED_ACTIONS) known.set(action, found);
    return found;
  };
}

const speaksOf = ({ actions, exceptActions }: CompiledStatement, action: string): boolean =>
  actions.some(({ parts }) => matches(parts, action, {})) !== exceptActions;

function compileDocument(source: PolicySource, flavour: Flavour): readonly CompiledStatement[] {
  const document = parsePolicy(source, flavour);
  const variable = hasVariables(document) ? variableRule(flavour) : undefined;
  const many = Array.isArray(document.Statement);
  return list(document.Statement).map((statement, index) =>
    compileStatement(statement, index, flavour, variable, {
      policy: source.name,
      path: many ? `Statement[${index}]` : 'Statement',
    }),
  );
}

/** Policies of the older version, which is also the default, know no variables. */
const hasVariables = ({ Version }: PolicyDocument): boolean => Version === '2012-10-17';

function compileStatement(
  statement: PolicyStatement,
  index: number,
  flavour: Flavour,
  variable: PatternRules['variable'],
  place: Place,
): CompiledStatement {
  const action = either(statement, 'Action', 'NotAction', place);
  const resource = either(statement, 'Resource', 'NotResource', place);
  const effect = statement.Effect;
  return {
    policy: place.policy,
    id: statement.Sid ?? index,
    effect,
    actions: action.values.map((text, at) => actionPattern(text, step(action, at, place))),
    exceptActions: action.name === 'NotAction',
    resources: resource.values.map((text, at) =>
      resourcePattern(text, variable, step(resource, at, place)),
    ),
    exceptResources: resource.name === 'NotResource',
    conditions: compileConditions(
      statement.Condition,
      { flavour, effect, variable },
      within(place, 'Condition'),
    ),
  };
}

type Member = 'Action' | 'NotAction' | 'Resource' | 'NotResource';

interface Chosen {
  readonly name: Member;
  readonly values: readonly string[];
  readonly many: boolean;
}

function either(statement: PolicyStatement, plain: Member, except: Member, place: Place): Chosen {
  const present = [plain, except].filter((name) => statement[name] !== undefined);
  const [name] = present;
  if (name === undefined || present.length > 1)
    throw fault(place, `a statement has ${plain} or ${except}, one of them`);
  return { name, values: list(statement[name]), many: Array.isArray(statement[name]) };
}

const step = ({ name, many }: Chosen, index: number, place: Place): Place =>
  within(place, many ? `${name}[${index}]` : name);

const ACTION = /^(?:\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+)$/;

/** Actions are compared without letter case, as IAM does. */
function actionPattern(text: string, place: Place): Pattern {
  if (!ACTION.test(text)) throw fault(place, `"${text}" is not an action (service:Name)`);
  return compilePattern(text.toLowerCase(), { wildcards: true, variable: undefined }, place);
}

function resourcePattern(text: string, variable: PatternRules['variable'], place: Place): Pattern {
  if (text !== '*' && !text.startsWith('arn:'))
    throw fault(place, `"${text}" is neither "*" nor an ARN (arn:…)`);
  return compilePattern(text, { wildcards: true, variable }, place);
}
