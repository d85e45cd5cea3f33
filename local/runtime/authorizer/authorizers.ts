import {
  type Authorizer,
  type AuthorizerChoice,
  AuthorizerRefusal,
  authorizerEvent,
  checkedToken,
  chooseAuthorizer,
  type Grant,
  type Presented,
  readResponse,
} from '../../core/authorizer/index.ts';
import { AwsError } from '../../operations/operation.ts';
import type { InvokeResult } from '../lambda.ts';
import { iotMayInvoke } from '../lambda-permission.ts';

/** AWS ends the call of an authorizer's function after this long, whatever the function's own timeout is. */
const LIMIT_MS = 5000;

export interface AuthorizersOptions {
  readonly find: (name: string) => Authorizer | undefined;
  readonly invoke: (functionArn: string, event: unknown) => Promise<InvokeResult>;
  /** Properties of the template's `AWS::Lambda::Permission`s. */
  readonly permissions: readonly unknown[];
  readonly accountId: string;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** Who was let in by which authorizer, with what. */
export interface Authorization extends Grant {
  readonly authorizer: Authorizer;
}

export interface Authorizers {
  /** @throws {AuthorizerRefusal} when none, or not the one it is to be, may decide about the client */
  choose(presented: Presented, choice: AuthorizerChoice): Authorizer;
  /**
   * Asks an authorizer about a client: token signature, then its function, then what that answered.
   *
   * @param connectionId  `connectionMetadata.id` of the event
   * @throws {AuthorizerRefusal} saying at which of these it ended
   */
  ask(authorizer: Authorizer, presented: Presented, connectionId: string): Promise<Authorization>;
}

/** Runs custom authorizers as AWS IoT does: whatever goes wrong, the client is not let in. */
export function createAuthorizers(options: AuthorizersOptions): Authorizers {
  const { find, permissions, accountId } = options;

  const choose: Authorizers['choose'] = (presented, choice) => {
    const name = chooseAuthorizer(presented, choice);
    const authorizer = find(name);
    if (authorizer === undefined) {
      throw new AuthorizerRefusal('UNKNOWN_AUTHORIZER', `no authorizer is called ${name}`);
    }
    if (authorizer.status === 'ACTIVE') return authorizer;
    const text = `authorizer ${name} is ${authorizer.status}; set it ACTIVE to have it decide`;
    throw new AuthorizerRefusal('AUTHORIZER_INACTIVE', text);
  };

  return {
    choose,
    async ask(authorizer, presented, connectionId) {
      const { name, functionArn, arn, signingDisabled } = authorizer;
      const token = checkedToken(presented, authorizer);
      if (!iotMayInvoke(permissions, { functionArn, sourceArn: arn, accountId })) {
        const text = `no AWS::Lambda::Permission lets iot.amazonaws.com invoke ${functionArn} for ${arn}`;
        throw new AuthorizerRefusal('NOT_PERMITTED', text);
      }
      const signatureVerified = !signingDisabled;
      const event = authorizerEvent(presented, { token, signatureVerified, connectionId });
      const { payload, lastLine } = await call(options, name, functionArn, event);
      const certificateId = presented.x509?.certificateId;
      try {
        const grant = readResponse(payload, {
          authorizer: name,
          ...(certificateId !== undefined && { certificateId }),
        });
        return { ...grant, authorizer };
      } catch (error) {
        throw withLine(error, lastLine);
      }
    },
  };
}

/** Why an authorizer says no is in the log of its function: the operator reads it beside the refusal. */
function withLine(error: unknown, lastLine: string | undefined): unknown {
  if (!(error instanceof AuthorizerRefusal) || lastLine === undefined) return error;
  const text = lastLine.length > LINE_CHARS ? `${lastLine.slice(0, LINE_CHARS)}…` : lastLine;
  return new AuthorizerRefusal(error.reason, `${error.message}; its log says: ${text}`);
}

const LINE_CHARS = 500;

async function call(
  { invoke, sleep }: AuthorizersOptions,
  name: string,
  functionArn: string,
  event: unknown,
): Promise<Extract<InvokeResult, { ok: true }>> {
  const done = new AbortController();
  const tooLate = sleep(LIMIT_MS, done.signal).then(() => 'too late' as const);
  try {
    const result = await Promise.race([invoke(functionArn, event), tooLate]);
    if (result === 'too late') {
      const text = `authorizer ${name} did not answer within ${LIMIT_MS / 1000} s`;
      throw new AuthorizerRefusal('TIMEOUT', text);
    }
    if (result.ok) return result;
    const { errorType } = result.payload;
    throw new AuthorizerRefusal('FUNCTION_ERROR', `the function of ${name} failed: ${errorType}`);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    const text = `the function of ${name} could not be invoked: ${error.code}: ${error.message}`;
    throw new AuthorizerRefusal('FUNCTION_ERROR', text);
  } finally {
    done.abort();
  }
}
