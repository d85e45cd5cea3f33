import * as z from 'zod';
import { type ActionKind, textOf } from './action.ts';

const Declaration = z.strictObject({
  TargetArn: z.string().min(1),
  MessageFormat: z.enum(['JSON', 'RAW']).default('RAW'),
  RoleArn: z.string(),
});

/** @see IoT Core Developer Guide, SNS action */
export const sns: ActionKind<z.infer<typeof Declaration>> = {
  declaration: Declaration,
  create({ TargetArn, MessageFormat, RoleArn }, { parameter, sinks, demand }) {
    const { topics } = sinks;
    if (topics === undefined) throw new Error('the laptop has no SNS topics here');
    const targetArn = parameter(TargetArn);
    return {
      name: 'SnsAction',
      resource: TargetArn,
      async prepare(turn) {
        const resource = await targetArn(turn);
        const attempt = () => {
          demand(RoleArn, topics.needs(resource));
          return topics.publish(resource, {
            message: textOf(turn),
            perProtocol: MessageFormat === 'JSON',
          });
        };
        return { resource, attempt };
      },
    };
  },
};
