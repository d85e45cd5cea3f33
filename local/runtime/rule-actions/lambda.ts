import * as z from 'zod';
import { iotMayInvoke } from '../lambda-permission.ts';
import { ActionError, type ActionKind, type LambdaSink } from './action.ts';

const Declaration = z.strictObject({ FunctionArn: z.string().min(1) });

/**
 * An asynchronous invocation: done once Lambda has taken the event. A handler that fails is Lambda's affair.
 *
 * @see IoT Core Developer Guide, Lambda action
 */
export const lambda: ActionKind<z.infer<typeof Declaration>> = {
  declaration: Declaration,
  create({ FunctionArn }, { parameter, sinks, rule, accountId }) {
    const sink = sinkOf(sinks.lambda);
    const functionArn = parameter(FunctionArn);
    return {
      name: 'LambdaAction',
      resource: FunctionArn,
      async prepare({ value, binary, ...turn }) {
        const resource = await functionArn({ value, binary, ...turn });
        const attempt = () => {
          const invocation = { functionArn: resource, sourceArn: rule.arn, accountId };
          if (!iotMayInvoke(sink.permissions, invocation)) throw notPermitted(invocation);
          if (binary || value === undefined) throw noJson();
          return sink.invokeAsync(resource, value);
        };
        return { resource, attempt };
      },
    };
  },
};

function sinkOf(sink: LambdaSink | undefined): LambdaSink {
  if (sink !== undefined) return sink;
  throw new Error('the laptop runs no functions here');
}

const notPermitted = ({ functionArn, sourceArn }: { functionArn: string; sourceArn: string }) =>
  new ActionError(
    `iot.amazonaws.com is not authorized to perform: lambda:InvokeFunction on resource: ${functionArn}, because no AWS::Lambda::Permission of the function allows it for ${sourceArn}.`,
  );

const noJson = (): ActionError =>
  new ActionError(
    "A function takes JSON, and the result is none; encode it: SELECT encode(*, 'base64') AS data.",
  );
