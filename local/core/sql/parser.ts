import type {
  Assignment,
  BinaryOperator,
  Case,
  CastType,
  Expression,
  NestedSelect,
  ObjectLiteral,
  Select,
  SelectItem,
  Statement,
} from './ast.ts';
import { Lexer, type Token } from './lexer.ts';
import { negate, parseNumber } from './numbers.ts';
import { topicFilterProblem } from './topic.ts';
import { isNumber, type SqlValue } from './values.ts';

/** Brackets, CASEs and nested SELECTs inside one another. */
const DEEPEST_NESTING = 100;
/** Levels of the finished tree: a chain of operators leans to the left, one level an operand. */
const HIGHEST_TREE = 1_000;
const MOST_VARIABLES = 10;

const RESERVED = new Set(
  'SELECT FROM WHERE AS AND OR NOT CASE WHEN THEN ELSE END TRUE FALSE NULL'.split(' '),
);

/** Words of other dialects that people try after an expression, with what to write instead. */
const FOREIGN: Readonly<Record<string, string>> = {
  LIKE: 'IoT SQL has no LIKE; use startswith, endswith, indexof or regexp_matches',
  IN: 'IoT SQL has no IN; compare with = and OR',
  BETWEEN: 'IoT SQL has no BETWEEN; use >= and <=',
  IS: 'IoT SQL has no IS; use isNull(x) or isUndefined(x)',
  EXISTS: 'IoT SQL has no EXISTS; use isUndefined(x)',
  GROUP: 'IoT SQL sees one message at a time and has no GROUP BY',
  ORDER: 'IoT SQL sees one message at a time and has no ORDER BY',
  HAVING: 'IoT SQL sees one message at a time and has no HAVING',
  LIMIT: 'IoT SQL has no LIMIT',
  JOIN: 'a rule has one FROM; IoT SQL has no JOIN',
  UNION: 'IoT SQL has no UNION',
};

const PRECEDENCE: ReadonlyMap<string, number> = new Map([
  ['OR', 1],
  ['AND', 2],
  ...['=', '<>', '<', '<=', '>', '>='].map((operator): [string, number] => [operator, 4]),
  ...['+', '-'].map((operator): [string, number] => [operator, 5]),
  ...['*', '/', '%'].map((operator): [string, number] => [operator, 6]),
]);
const NOT = 3;
const COMPARISON = 4;
const UNARY = 7;

const CAST_TYPES: Readonly<Record<string, CastType>> = {
  STRING: 'String',
  NVARCHAR: 'String',
  TEXT: 'String',
  NTEXT: 'String',
  VARCHAR: 'String',
  INT: 'Int',
  INTEGER: 'Int',
  DOUBLE: 'Decimal',
  DECIMAL: 'Decimal',
  BOOL: 'Boolean',
  BOOLEAN: 'Boolean',
};

/**
 * Parses a rule's statement.
 *
 * @throws {SqlSyntaxError} with line, column, what was expected and what was found
 */
export function parseStatement(source: string): Statement {
  return new Parser(source).statement();
}

/** Parses the expression of a `${…}` that begins at `from`, and says where its `}` ends. */
export function parseEmbedded(
  source: string,
  from: number,
): { readonly expression: Expression; readonly end: number } {
  return new Parser(source, from).embedded();
}

class Parser {
  readonly #lexer: Lexer;
  readonly #ahead: Token[] = [];
  #lastEnd = 0;
  #nesting = 0;

  constructor(source: string, from = 0) {
    this.#lexer = new Lexer(source, from);
  }

  statement(): Statement {
    const assignments = this.#takeWord('SET') ? this.#assignments() : [];
    if (!this.#takeWord('SELECT')) {
      this.#fail(assignments.length > 0 ? "',' or SELECT" : 'SELECT or SET');
    }
    const select = this.#select();
    const topicFilter = this.#takeWord('FROM') ? this.#topicFilter() : undefined;
    const where = this.#takeWord('WHERE') ? this.#expression() : undefined;
    if (this.#peek().kind !== 'end') {
      this.#fail(afterClause(select, topicFilter, where), this.#foreignHint());
    }
    return {
      source: this.#lexer.source,
      assignments,
      select,
      ...(topicFilter === undefined ? {} : { topicFilter }),
      ...(where === undefined ? {} : { where }),
    };
  }

  embedded(): { expression: Expression; end: number } {
    const expression = this.#expression();
    this.#expectSymbol('}', "an operator or '}'");
    return { expression, end: this.#lastEnd };
  }

  #foreignHint(): string | undefined {
    const { kind, text } = this.#peek();
    const word = text.toUpperCase();
    return kind === 'word' && Object.hasOwn(FOREIGN, word) ? FOREIGN[word] : undefined;
  }

  #assignments(): Assignment[] {
    const assignments: Assignment[] = [];
    do {
      const variable = this.#peek();
      if (variable.kind !== 'variable') this.#fail('a variable such as @name');
      if (assignments.some(({ name }) => name === variable.text)) {
        this.#fail('a variable not set before', 'variables cannot be set twice');
      }
      if (assignments.length === MOST_VARIABLES) this.#fail(`at most ${MOST_VARIABLES} variables`);
      this.#take();
      this.#expectSymbol('=', "'='");
      const value = this.#expression();
      assignments.push({ name: variable.text, value, start: variable.start, end: value.end });
    } while (this.#takeSymbol(','));
    return assignments;
  }

  #select(): Select {
    if (this.#isValueKeyword()) {
      this.#take();
      return { kind: 'value', value: this.#expression() };
    }
    const items: SelectItem[] = [];
    do items.push(this.#item());
    while (this.#takeSymbol(','));
    return { kind: 'items', items };
  }

  /** `VALUE` is also a likely name of a field: it is the keyword where an expression follows. */
  #isValueKeyword(): boolean {
    if (!this.#isWord('VALUE')) return false;
    const next = this.#peek(1);
    if (next.kind === 'word') return !/^(FROM|AS|AND|OR|WHERE)$/i.test(next.text);
    if (next.kind !== 'symbol') return next.kind !== 'end';
    if (next.text === '*' || next.text === '-') return !this.#isNamedLater();
    return /^[([{]$/.test(next.text);
  }

  /** Whether AS or a comma follows in this clause: `value * 2 AS x`, but `VALUE * FROM`. */
  #isNamedLater(): boolean {
    let depth = 0;
    for (let distance = 1; depth >= 0; distance++) {
      const { kind, text } = this.#peek(distance);
      if (kind === 'end') return false;
      if (kind === 'symbol') depth += Number('([{'.includes(text)) - Number(')]}'.includes(text));
      if (depth === 0 && kind === 'symbol' && text === ',') return true;
      if (depth === 0 && kind === 'word' && /^AS$/i.test(text)) return true;
      if (depth === 0 && kind === 'word' && /^(FROM|WHERE)$/i.test(text)) return false;
    }
    return false;
  }

  #item(): SelectItem {
    const value = this.#expression();
    if (this.#takeWord('AS')) return { value, path: this.#aliasPath() };
    if (value.kind === 'star') return { value };
    if (value.kind === 'name' || value.kind === 'member') return { value, path: [value.name] };
    this.#fail('an operator or AS and a name', 'only fields name themselves');
  }

  #aliasPath(): string[] {
    const first = this.#peek();
    if (first.kind !== 'word') this.#fail('a name', 'names are not quoted');
    if (/^(SELECT|FROM|WHERE|AS)$/i.test(first.text)) this.#fail('a name');
    const path = [this.#take().text];
    while (this.#takeSymbol('.')) {
      if (path.length === DEEPEST_NESTING) this.#fail(`at most ${DEEPEST_NESTING} names`);
      path.push(this.#memberName());
    }
    return path;
  }

  #topicFilter(): string {
    const token = this.#peek();
    if (token.kind !== 'string') this.#fail("a topic filter in quotes, such as 'dt/+/status'");
    const problem = topicFilterProblem(token.text);
    if (problem !== undefined) {
      this.#lexer.refuse(token.start + 1 + problem.at, problem.expected, problem.found);
    }
    return this.#take().text;
  }

  #expression(least = 1): Expression {
    let left = this.#prefix(least);
    for (;;) {
      const token = this.#peek();
      const operator = this.#operatorOf(token);
      const precedence = operator === undefined ? 0 : (PRECEDENCE.get(operator) ?? 0);
      if (operator === undefined || precedence < least) return left;
      this.#take();
      const right = this.#expression(precedence + 1);
      left = this.#node({ kind: 'binary', operator, left, right }, left.start, [left, right]);
      if (precedence === COMPARISON && this.#isComparison(this.#peek())) {
        this.#fail('AND, OR or the end of the comparison', 'comparisons do not chain');
      }
    }
  }

  #operatorOf(token: Token): BinaryOperator | undefined {
    if (token.kind !== 'symbol' && token.kind !== 'word') return undefined;
    const text = token.kind === 'word' ? token.text.toUpperCase() : token.text;
    const hint = this.#foreignHint();
    if (hint !== undefined) this.#fail('an operator or the end of the expression', hint);
    return isBinaryOperator(text) ? text : undefined;
  }

  #isComparison(token: Token): boolean {
    return token.kind === 'symbol' && PRECEDENCE.get(token.text) === COMPARISON;
  }

  #prefix(least: number): Expression {
    const { start } = this.#peek();
    if (this.#isWord('NOT')) {
      if (least > NOT) this.#fail('an expression', 'NOT binds weaker here; put it in parentheses');
      this.#take();
      return this.#nested(() => {
        const operand = this.#expression(NOT);
        return this.#node({ kind: 'unary', operator: 'NOT', operand }, start, [operand]);
      });
    }
    if (!this.#takeSymbol('-')) return this.#postfix();
    return this.#nested(() => {
      const operand = this.#expression(UNARY);
      if (operand.kind === 'literal' && isNumber(operand.value)) {
        return this.#literal(negate(operand.value), start);
      }
      return this.#node({ kind: 'unary', operator: '-', operand }, start, [operand]);
    });
  }

  #postfix(): Expression {
    let value = this.#primary();
    for (;;) {
      if (this.#isSymbol('[')) {
        this.#fail('an operator', 'IoT SQL has no x[0]; use get(x, 0)');
      }
      if (!this.#takeSymbol('.')) return value;
      const name = this.#memberName();
      value = this.#node({ kind: 'member', object: value, name }, value.start, [value]);
    }
  }

  #memberName(): string {
    const clauseFollows = this.#isWord('FROM') && this.#peek(1).kind === 'string';
    if (this.#peek().kind !== 'word' || clauseFollows) {
      this.#fail('a name after the point', 'for any other key write get(object, "key")');
    }
    return this.#take().text;
  }

  #primary(): Expression {
    const token = this.#peek();
    const { start, text } = token;
    if (token.kind === 'number') return this.#number();
    if (token.kind === 'string') {
      this.#take();
      return this.#literal(text, start);
    }
    if (token.kind === 'variable') {
      this.#take();
      return this.#node({ kind: 'variable', name: text }, start, []);
    }
    if (token.kind === 'word') return this.#word();
    if (this.#takeSymbol('*')) return this.#node({ kind: 'star' }, start, []);
    if (text === '(' || text === '[' || text === '{') return this.#nested(() => this.#bracket());
    this.#fail('an expression');
  }

  #number(): Expression {
    const { start, text } = this.#peek();
    const value = parseNumber(text);
    if (value === undefined) this.#fail('a number of at most 9.99E999');
    this.#take();
    return this.#literal(value, start);
  }

  #word(): Expression {
    const { start, text } = this.#peek();
    const keyword = text.toUpperCase();
    if (keyword === 'CASE') return this.#nested(() => this.#case());
    const literal = LITERALS.get(keyword);
    if (literal !== undefined) {
      this.#take();
      return this.#literal(literal.value, start);
    }
    if (keyword === 'SELECT') this.#fail('an expression', 'put a nested SELECT in parentheses');
    if (RESERVED.has(keyword)) this.#fail('an expression');
    this.#take();
    if (!this.#isSymbol('(')) return this.#node({ kind: 'name', name: text }, start, []);
    return this.#nested(() =>
      keyword === 'CAST' ? this.#cast(start) : this.#call(text.toLowerCase(), start),
    );
  }

  #call(name: string, start: number): Expression {
    this.#expectSymbol('(', "'('");
    const args: Expression[] = [];
    if (!this.#isSymbol(')')) {
      do args.push(this.#isWord('SELECT') ? this.#nestedSelect() : this.#expression());
      while (this.#takeSymbol(','));
    }
    this.#expectSymbol(')', "an operator, ',' or ')'");
    return this.#node({ kind: 'call', name, args }, start, args);
  }

  #cast(start: number): Expression {
    this.#expectSymbol('(', "'('");
    const value = this.#expression();
    if (!this.#takeWord('AS')) this.#fail('AS and a type');
    const word = this.#peek();
    const type = word.kind === 'word' ? CAST_TYPES[word.text.toUpperCase()] : undefined;
    if (type === undefined) this.#fail(`a type: ${Object.keys(CAST_TYPES).join(', ')}`);
    this.#take();
    this.#expectSymbol(')', "')'");
    return this.#node({ kind: 'cast', value, type }, start, [value]);
  }

  #case(): Expression {
    const { start } = this.#take();
    if (this.#isWord('WHEN')) {
      this.#fail('the value to compare', 'IoT SQL has only CASE value WHEN …');
    }
    const subject = this.#expression();
    const branches: Case['branches'][number][] = [];
    while (this.#takeWord('WHEN')) {
      const when = this.#expression();
      if (!this.#takeWord('THEN')) this.#fail('an operator or THEN');
      branches.push({ when, result: this.#expression() });
    }
    if (branches.length === 0) this.#fail('an operator or WHEN');
    const otherwise = this.#takeWord('ELSE') ? this.#expression() : undefined;
    if (!this.#takeWord('END')) {
      this.#fail(otherwise === undefined ? 'an operator, WHEN, ELSE or END' : 'an operator or END');
    }
    const inner = branches.flatMap(({ when, result }) => [when, result]);
    const last = otherwise === undefined ? {} : { otherwise };
    return this.#node({ kind: 'case', subject, branches, ...last }, start, [
      subject,
      ...inner,
      ...(otherwise === undefined ? [] : [otherwise]),
    ]);
  }

  #bracket(): Expression {
    const { start, text } = this.#take();
    if (text === '[') return this.#array(start);
    if (text === '{') return this.#object(start);
    const inner = this.#isWord('SELECT') ? this.#nestedSelect() : this.#expression();
    this.#expectSymbol(')', "an operator or ')'");
    return { ...inner, start, end: this.#lastEnd };
  }

  #array(start: number): Expression {
    const items: Expression[] = [];
    if (!this.#isSymbol(']')) {
      do items.push(this.#expression());
      while (this.#takeSymbol(','));
    }
    this.#expectSymbol(']', "an operator, ',' or ']'");
    return this.#node({ kind: 'array', items }, start, items);
  }

  #object(start: number): Expression {
    const entries: ObjectLiteral['entries'][number][] = [];
    if (!this.#isSymbol('}')) {
      do {
        if (this.#peek().kind !== 'string') this.#fail('a key in quotes');
        const key = this.#take().text;
        this.#expectSymbol(':', "':'");
        entries.push({ key, value: this.#expression() });
      } while (this.#takeSymbol(','));
    }
    this.#expectSymbol('}', "an operator, ',' or '}'");
    const values = entries.map(({ value }) => value);
    return this.#node({ kind: 'object', entries }, start, values);
  }

  #nestedSelect(): NestedSelect {
    const { start } = this.#take();
    return this.#nested(() => {
      const select = this.#select();
      if (!this.#takeWord('FROM')) this.#fail("an operator, ',', AS or FROM");
      const from = this.#nestedSource();
      const where = this.#takeWord('WHERE') ? this.#expression() : undefined;
      const values =
        select.kind === 'value' ? [select.value] : select.items.map(({ value }) => value);
      const node = { kind: 'select', select, from, ...(where ? { where } : {}) } as const;
      return this.#node(node, start, [...values, from, ...(where ? [where] : [])]);
    });
  }

  #nestedSource(): Expression {
    const token = this.#peek();
    const isPath = token.kind === 'word' && !RESERVED.has(token.text.toUpperCase());
    if (!isPath && token.kind !== 'variable' && !this.#isSymbol('*')) {
      this.#fail('an array or object of the payload, or *');
    }
    return this.#postfix();
  }

  #literal(value: SqlValue, start: number): Expression {
    return this.#node({ kind: 'literal', value }, start, []);
  }

  #node<T extends object>(
    node: T,
    start: number,
    children: readonly Expression[],
  ): T & { start: number; end: number; height: number } {
    let height = 1;
    for (const child of children) height = Math.max(height, child.height + 1);
    if (height > HIGHEST_TREE) {
      this.#lexer.refuse(start, `at most ${HIGHEST_TREE} operators in a chain`, 'more');
    }
    return { ...node, start, end: this.#lastEnd, height };
  }

  #nested<T>(parse: () => T): T {
    if (++this.#nesting > DEEPEST_NESTING) {
      this.#fail(`at most ${DEEPEST_NESTING} levels of nesting`);
    }
    const result = parse();
    this.#nesting -= 1;
    return result;
  }

  #peek(distance = 0): Token {
    while (this.#ahead.length <= distance) this.#ahead.push(this.#lexer.next());
    return this.#ahead[distance] ?? this.#lexer.next();
  }

  #take(): Token {
    const token = this.#peek();
    this.#ahead.shift();
    this.#lastEnd = token.end;
    return token;
  }

  #isWord(word: string): boolean {
    const token = this.#peek();
    return token.kind === 'word' && token.text.toUpperCase() === word;
  }

  #isSymbol(symbol: string): boolean {
    const token = this.#peek();
    return token.kind === 'symbol' && token.text === symbol;
  }

  #takeWord(word: string): boolean {
    const taken = this.#isWord(word);
    if (taken) this.#take();
    return taken;
  }

  #takeSymbol(symbol: string): boolean {
    const taken = this.#isSymbol(symbol);
    if (taken) this.#take();
    return taken;
  }

  #expectSymbol(symbol: string, expected: string): void {
    if (!this.#takeSymbol(symbol)) this.#fail(expected);
  }

  #fail(expected: string, hint?: string): never {
    const token = this.#peek();
    this.#lexer.refuse(token.start, expected, describe(token), hint);
  }
}

function afterClause(
  select: Select,
  topicFilter: string | undefined,
  where: Expression | undefined,
): string {
  if (where !== undefined) return 'an operator or the end of the statement';
  if (topicFilter !== undefined) return 'WHERE or the end of the statement';
  return select.kind === 'value'
    ? 'an operator, FROM or WHERE'
    : "an operator, ',', AS, FROM or WHERE";
}

const LITERALS: ReadonlyMap<string, { readonly value: SqlValue }> = new Map([
  ['TRUE', { value: true }],
  ['FALSE', { value: false }],
  ['NULL', { value: null }],
]);

const isBinaryOperator = (text: string): text is BinaryOperator => PRECEDENCE.has(text);

const LONGEST_QUOTE = 40;

function describe(token: Token): string {
  if (token.kind === 'end') return 'the end';
  const text =
    token.text.length > LONGEST_QUOTE ? `${token.text.slice(0, LONGEST_QUOTE)}…` : token.text;
  if (token.kind === 'string') return `the string '${text}'`;
  return token.kind === 'variable' ? `'@${text}'` : `'${text}'`;
}
