import type { Expression } from '../core/sql/index.ts';
import { basicIngest } from '../core/sql/index.ts';
import type { DeclaredRule, Finding, Substitution } from './declared.ts';
import {
  ANY,
  filterPattern,
  LEVEL,
  literal,
  overlaps,
  type TopicPattern,
} from './topic-overlap.ts';

interface Step {
  readonly from: string;
  readonly to: string;
  readonly where: string;
  readonly topic: string;
}

/** Rules whose republished messages could come back to them, directly or through others: each turn is billed. */
export function republishLoops(rules: readonly DeclaredRule[]): Finding[] {
  const steps = rules.flatMap((rule) => stepsFrom(rule, rules));
  return steps.flatMap((step): Finding[] => {
    const way = wayBack(step, steps);
    if (way === undefined) return [];
    const others = way.slice(0, -1).join(', then ');
    const round = others === '' ? 'its own FROM' : `FROM of ${others}, and from there this rule`;
    return [
      {
        code: 'republish-loop',
        where: `${step.where}: Republish.Topic`,
        problem: `${step.topic} can match ${round}: AWS republishes without end, and bills it`,
      },
    ];
  });
}

function stepsFrom(rule: DeclaredRule, rules: readonly DeclaredRule[]): Step[] {
  return rule.actions.flatMap(({ kind, where, parameters, substitutions }) => {
    if (kind !== 'Republish') return [];
    const topic = String(parameters['Topic']);
    const found = substitutions.find(({ path }) => path === 'Republish.Topic');
    return rules
      .filter((other) => reaches(topic, found, rule, other))
      .map(({ name }) => ({ from: rule.name, to: name, where, topic }));
  });
}

/** The names of the rules that lead back to where the step begins, the last of them itself. */
function wayBack(step: Step, steps: readonly Step[]): string[] | undefined {
  const open = [[step.to]];
  const seen = new Set<string>();
  for (const way of open) {
    const last = way.at(-1) ?? '';
    if (last === step.from) return way;
    if (seen.has(last)) continue;
    seen.add(last);
    for (const { from, to } of steps) if (from === last) open.push([...way, to]);
  }
  return undefined;
}

function reaches(
  topic: string,
  substitution: Substitution | undefined,
  from: DeclaredRule,
  to: DeclaredRule,
): boolean {
  const text = topic.replace(/^\$\$aws\//, '$aws/');
  const ingest = basicIngest(text);
  if (ingest !== undefined) return ingest.rule === to.name;
  const filter = to.statement?.topicFilter;
  if (filter === undefined) return false;
  if (text.startsWith('$aws/') && /^[+#]/.test(filter)) return false;
  return overlaps(templatePattern(text, substitution, from), filterPattern(filter));
}

function templatePattern(
  text: string,
  substitution: Substitution | undefined,
  { statement }: DeclaredRule,
): TopicPattern {
  if (substitution === undefined) return literal(text);
  const filter = statement?.topicFilter;
  const whole = filter === undefined ? ANY : filterPattern(filter);
  const [first = '', ...rest] = substitution.parts;
  const start = typeof first === 'string' ? first.replace(/^\$\$aws\//, '$aws/') : first;
  return [start, ...rest].flatMap((part) =>
    typeof part === 'string' ? literal(part) : expressionPattern(part, whole, filter),
  );
}

/** What a part of a topic can become: `topic()` is one of FROM's, `topic(n)` a level of it. */
function expressionPattern(
  expression: Expression,
  whole: TopicPattern,
  filter: string | undefined,
): TopicPattern {
  if (expression.kind === 'literal') return literal(String(expression.value));
  if (expression.kind !== 'call') return ANY;
  if (['newuuid', 'principal', 'timestamp', 'traceid', 'accountid'].includes(expression.name)) {
    return LEVEL;
  }
  if (expression.name !== 'topic') return ANY;
  const [level] = expression.args;
  if (level === undefined) return whole;
  if (level.kind !== 'literal' || typeof level.value !== 'number') return LEVEL;
  const levels = (filter ?? '#').split('/');
  const named = levels[level.value - 1];
  const isKnown =
    named !== undefined && named !== '+' && !levels.slice(0, level.value).includes('#');
  return isKnown ? literal(named) : LEVEL;
}
