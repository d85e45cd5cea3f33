import * as z from 'zod';

const Permission = z.object({
  FunctionName: z.string(),
  Action: z.string(),
  Principal: z.string(),
  SourceArn: z.string().optional(),
  SourceAccount: z.string().optional(),
});

interface Invocation {
  readonly functionArn: string;
  readonly ruleArn: string;
  readonly accountId: string;
}

/**
 * Whether the function's resource policy lets IoT's rule invoke it. A rule has no role for this action.
 *
 * @param permissions  properties of `AWS::Lambda::Permission`s, intrinsic functions resolved
 */
export function ruleMayInvoke(permissions: readonly unknown[], invocation: Invocation): boolean {
  return permissions.some((declared) => {
    const permission = Permission.safeParse(declared);
    return permission.success && grants(permission.data, invocation);
  });
}

function grants(
  { FunctionName, Action, Principal, SourceArn, SourceAccount }: z.infer<typeof Permission>,
  { functionArn, ruleArn, accountId }: Invocation,
): boolean {
  return (
    nameOf(FunctionName) === nameOf(functionArn) &&
    ['lambda:InvokeFunction', 'lambda:*', '*'].includes(Action) &&
    ['iot.amazonaws.com', '*'].includes(Principal) &&
    (SourceArn === undefined || isLike(SourceArn, ruleArn)) &&
    (SourceAccount === undefined || SourceAccount === accountId)
  );
}

/** @param reference  name, partial ARN or ARN, with or without a qualifier */
const nameOf = (reference: string): string =>
  /(?:^|:function:)([A-Za-z0-9_-]+)(?::[A-Za-z0-9$_-]+)?$/.exec(reference)?.[1] ?? reference;

const isLike = (pattern: string, arn: string): boolean => {
  const expression = pattern.split('*').map(RegExp.escape).join('.*').replaceAll('\\?', '.');
  return new RegExp(`^${expression}$`).test(arn);
};
