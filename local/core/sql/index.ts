export type { Expression, Select, Statement, Template } from './ast.ts';
export {
  ExternalCallError,
  type SqlPosition,
  SqlSyntaxError,
  UnsupportedSqlError,
} from './errors.ts';
export { type ExplainStep, explain, explainAsync } from './explain.ts';
export type {
  Mqtt5Properties,
  SqlEnvironment,
  SqlMessage,
  SqlService,
} from './message.ts';
export {
  type CompiledRule,
  type CompileOptions,
  compileRule,
  type Matched,
  type NotMatched,
  type RuleOutcome,
} from './rule.ts';
export { EXTERNAL_FUNCTIONS } from './services.ts';
export { type CompiledTemplate, compileTemplate, type TemplateOptions } from './template.ts';
export { basicIngest, topicFilterProblem, topicMatches } from './topic.ts';
export { createTopicIndex, type TopicIndex } from './topic-index.ts';
export {
  type SqlArray,
  type SqlNumber,
  type SqlObject,
  type SqlValue,
  type TypeName,
  typeName,
  WideNumber,
} from './values.ts';
export {
  runVectors,
  type VectorFailure,
  type VectorFile,
  type VectorReport,
} from './vectors.ts';
export { walkExpressions } from './walk.ts';
