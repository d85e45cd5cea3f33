export { type CompiledPolicies, compilePolicies } from './compile.ts';
export { type Decision, decide } from './decide.ts';
export { PolicyError, type PolicySource } from './document.ts';
export { unresolvedVariables } from './evaluate.ts';
export { countedLength, POLICY_LIMITS } from './limits.ts';
export { lintPolicy, lintPrincipal } from './lint.ts';
export type { PolicyContext } from './pattern.ts';
export { HINTS } from './variables.ts';
