import { Buffer } from 'node:buffer';
import * as z from 'zod';
import type { InvokeResult, LambdaRuntime } from '../../runtime/lambda.ts';
import { AwsError, HttpAnswer, type Operation, operation, type RestParts } from '../operation.ts';

const Input = z.strictObject({
  FunctionName: z.string(),
  Qualifier: z.literal('$LATEST', 'the laptop runs $LATEST and no other version').optional(),
  InvocationType: z.enum(['RequestResponse', 'Event', 'DryRun']).default('RequestResponse'),
  LogType: z.literal('None', 'functions log to the terminal, not into the answer').default('None'),
  ClientContext: z.unknown().optional(),
  Payload: z.unknown(),
});

/** Runs a function of the template, as `aws lambda invoke` does. */
export const invoke = (lambda: LambdaRuntime): Operation =>
  operation({
    route: {
      service: 'lambda',
      method: 'POST',
      path: '/2015-03-31/functions/{FunctionName}/invocations',
    },
    input: Input,
    invalidInputCode: 'InvalidParameterValueException',
    fromHttp,
    needs: ({ FunctionName }) => [
      { action: 'lambda:InvokeFunction', resource: lambda.find(FunctionName).arn },
    ],
    run: async ({ input }) => {
      const { FunctionName, InvocationType, Payload, ClientContext: clientContext } = input;
      if (InvocationType === 'DryRun') return new HttpAnswer(204, {}, '');
      if (InvocationType === 'Event') {
        const requestId = lambda.invokeAsync(FunctionName, Payload);
        return new HttpAnswer(202, { 'x-amzn-requestid': requestId }, '');
      }
      const options = clientContext === undefined ? {} : { clientContext };
      return answer(await lambda.invoke(FunctionName, Payload, options));
    },
  });

const answer = (result: InvokeResult): HttpAnswer =>
  new HttpAnswer(
    200,
    {
      'content-type': 'application/json',
      'x-amz-executed-version': '$LATEST',
      'x-amzn-requestid': result.requestId,
      ...(!result.ok && { 'x-amz-function-error': result.functionError }),
    },
    JSON.stringify(result.payload),
  );

function fromHttp({ labels, query, headers, body }: RestParts): unknown {
  const optional = {
    Qualifier: query.get('Qualifier') ?? undefined,
    InvocationType: headers['x-amz-invocation-type'],
    LogType: headers['x-amz-log-type'],
    ClientContext: clientContext(headers['x-amz-client-context']),
  };
  return { ...labels, ...optional, Payload: parse(body.toString() || '{}', 'the payload') };
}

const clientContext = (base64: string | undefined): unknown =>
  base64 === undefined
    ? undefined
    : parse(Buffer.from(base64, 'base64').toString(), 'the client context');

function parse(json: string, what: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AwsError('InvalidRequestContentException', `Could not read ${what} as JSON: ${why}`);
  }
}
