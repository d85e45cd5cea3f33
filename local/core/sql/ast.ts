import type { SqlValue } from './values.ts';

/** Offsets into the statement's text, end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

interface Node extends Span {
  /** Levels below and including this node; bounded, so that walking a tree cannot exhaust the stack. */
  readonly height: number;
}

export type UnaryOperator = '-' | 'NOT';
export type BinaryOperator =
  | 'AND'
  | 'OR'
  | '='
  | '<>'
  | '<'
  | '<='
  | '>'
  | '>='
  | '+'
  | '-'
  | '*'
  | '/'
  | '%';

export interface Literal extends Node {
  readonly kind: 'literal';
  readonly value: SqlValue;
}
/** A field of the payload, or inside a nested SELECT of the element. */
export interface Name extends Node {
  readonly kind: 'name';
  readonly name: string;
}
/** `*`: the payload, or inside a nested SELECT the element. */
export interface Star extends Node {
  readonly kind: 'star';
}
/** `@name`, bound by SET. */
export interface Variable extends Node {
  readonly kind: 'variable';
  readonly name: string;
}
export interface Member extends Node {
  readonly kind: 'member';
  readonly object: Expression;
  readonly name: string;
}
export interface Unary extends Node {
  readonly kind: 'unary';
  readonly operator: UnaryOperator;
  readonly operand: Expression;
}
export interface Binary extends Node {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
}
export interface Call extends Node {
  readonly kind: 'call';
  /** In lower case: function names know no case. */
  readonly name: string;
  readonly args: readonly Expression[];
}
export interface Cast extends Node {
  readonly kind: 'cast';
  readonly value: Expression;
  readonly type: CastType;
}
export type CastType = 'String' | 'Int' | 'Decimal' | 'Boolean';
export interface Case extends Node {
  readonly kind: 'case';
  readonly subject: Expression;
  readonly branches: readonly { readonly when: Expression; readonly result: Expression }[];
  readonly otherwise?: Expression;
}
export interface ArrayLiteral extends Node {
  readonly kind: 'array';
  readonly items: readonly Expression[];
}
export interface ObjectLiteral extends Node {
  readonly kind: 'object';
  readonly entries: readonly { readonly key: string; readonly value: Expression }[];
}
export interface NestedSelect extends Node {
  readonly kind: 'select';
  readonly select: Select;
  readonly from: Expression;
  readonly where?: Expression;
}

export type Expression =
  | Literal
  | Name
  | Star
  | Variable
  | Member
  | Unary
  | Binary
  | Call
  | Cast
  | Case
  | ArrayLiteral
  | ObjectLiteral
  | NestedSelect;

/** One output of a SELECT; without `path` it is `*`, whose fields are merged. */
export interface SelectItem {
  readonly value: Expression;
  readonly path?: readonly string[];
}

export type Select =
  | { readonly kind: 'value'; readonly value: Expression }
  | { readonly kind: 'items'; readonly items: readonly SelectItem[] };

export interface Assignment extends Span {
  readonly name: string;
  readonly value: Expression;
}

export interface Statement {
  readonly source: string;
  readonly assignments: readonly Assignment[];
  readonly select: Select;
  /** MQTT topic filter; absent in rules reached by Basic Ingest only. */
  readonly topicFilter?: string;
  readonly where?: Expression;
}

/** The parts of `${…}` text: literal text and expressions, in order. */
export interface Template {
  readonly source: string;
  readonly parts: readonly (string | Expression)[];
}
