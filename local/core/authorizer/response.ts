import * as z from 'zod';
import {
  type CompiledPolicies,
  compilePolicies,
  countedLength,
  POLICY_LIMITS,
} from '../policy/index.ts';
import { AuthorizerRefusal } from './refusal.ts';

/** What an authorizer's function has granted. */
export interface Grant {
  readonly principalId: string;
  readonly policies: CompiledPolicies;
  /** As they were given, for whoever wants to see them. */
  readonly documents: readonly object[];
  readonly refreshAfterSeconds: number;
  readonly disconnectAfterSeconds: number;
}

const Seconds = z.int().min(300).max(86_400);

const document = z.union([
  z.looseObject({}),
  z.string().transform((text, context) => {
    try {
      return z.looseObject({}).parse(JSON.parse(text));
    } catch {
      context.addIssue({ code: 'custom', message: 'is a text that is no JSON object' });
      return z.NEVER;
    }
  }),
]);

const Documents = z
  .array(document)
  .max(POLICY_LIMITS.perPrincipal, `has more than ${POLICY_LIMITS.perPrincipal} documents`);

const Granted = z.object({
  principalId: z.string().regex(/^[a-zA-Z0-9]{1,128}$/, 'is not 1 to 128 letters and digits'),
  policyDocuments: Documents,
  refreshAfterInSeconds: Seconds,
  disconnectAfterInSeconds: Seconds,
});

const Answer = z.object({ isAuthenticated: z.boolean() });

export interface ResponseOptions {
  readonly authorizer: string;
  /** Only with a client certificate, whose id the principal must be; then documents may be left out. */
  readonly certificateId?: string;
}

/**
 * Holds an authorizer's answer to AWS's contract.
 *
 * @throws {AuthorizerRefusal} `NOT_AUTHENTICATED`, or `INVALID_RESPONSE` naming each member at fault
 * @see IoT Core Developer Guide, "Creating and managing custom authorizers"; AWS General Reference, custom
 *   authentication quotas
 */
export function readResponse(payload: unknown, options: ResponseOptions): Grant {
  const { authorizer, certificateId } = options;
  const answer = checked(Answer, payload, authorizer);
  if (!answer.isAuthenticated) {
    const text = `authorizer ${authorizer} answered that the client is not authenticated`;
    throw new AuthorizerRefusal('NOT_AUTHENTICATED', text);
  }
  const schema =
    certificateId === undefined
      ? Granted
      : Granted.extend({ policyDocuments: Documents.default([]) });
  const granted = checked(schema, payload, authorizer);
  if (certificateId !== undefined && granted.principalId !== certificateId) {
    throw invalid(authorizer, 'principalId must be the id of the client certificate');
  }
  return {
    principalId: granted.principalId,
    policies: compiled(granted.policyDocuments, authorizer),
    documents: granted.policyDocuments,
    refreshAfterSeconds: granted.refreshAfterInSeconds,
    disconnectAfterSeconds: granted.disconnectAfterInSeconds,
  };
}

function checked<T>(schema: z.ZodType<T>, payload: unknown, authorizer: string): T {
  const result = schema.safeParse(payload);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw invalid(authorizer, problems.join('; '));
}

function compiled(documents: readonly object[], authorizer: string): CompiledPolicies {
  const sources = documents.map((each, index) => {
    const name = `${authorizer}, document ${index}`;
    const length = countedLength(each);
    if (length <= POLICY_LIMITS.size) return { name, document: each };
    const problem = `policyDocuments.${index} has ${length} characters; ${POLICY_LIMITS.size} are allowed`;
    throw invalid(authorizer, problem);
  });
  try {
    return compilePolicies(sources, 'iot');
  } catch (error) {
    throw invalid(authorizer, error instanceof Error ? error.message : String(error));
  }
}

const invalid = (authorizer: string, problem: string): AuthorizerRefusal =>
  new AuthorizerRefusal(
    'INVALID_RESPONSE',
    `authorizer ${authorizer} answered wrongly: ${problem}`,
  );
