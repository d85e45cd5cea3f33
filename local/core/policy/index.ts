export { type CompiledPolicies, compilePolicies } from './compile.ts';
export { type Decision, decide } from './decide.ts';
export {
  type Flavour,
  type PolicyDocument,
  PolicyError,
  type PolicySource,
  parsePolicy,
} from './document.ts';
export { type PolicyRequest, unresolvedVariables } from './evaluate.ts';
export { countedLength, POLICY_LIMITS } from './limits.ts';
export { type LintFinding, lintPolicy, lintPrincipal } from './lint.ts';
export type { PolicyContext } from './pattern.ts';
export { ALTERNATIVE_NAMES, HINTS, isIotVariable, NAME_FIELDS } from './variables.ts';
