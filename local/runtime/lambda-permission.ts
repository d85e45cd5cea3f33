import * as z from 'zod';

const Permission = z.object({
  FunctionName: z.string(),
  Action: z.string(),
  Principal: z.string(),
  SourceArn: z.string().optional(),
  SourceAccount: z.string().optional(),
});

export interface Invocation {
  readonly functionArn: string;
  /** Rule, authorizer or topic that invokes. */
  readonly sourceArn: string;
  readonly accountId: string;
}

/**
 * Whether the function's resource policy lets AWS IoT invoke it for a rule or an authorizer, neither of which has a role for that.
 *
 * @param permissions  properties of `AWS::Lambda::Permission`s, intrinsic functions resolved
 */
export const iotMayInvoke = (permissions: readonly unknown[], invocation: Invocation): boolean =>
  serviceMayInvoke('iot.amazonaws.com', permissions, invocation);

/** The same for any service, as `sns.amazonaws.com`. */
export function serviceMayInvoke(
  service: string,
  permissions: readonly unknown[],
  invocation: Invocation,
): boolean {
  return permissions.some((declared) => {
    const permission = Permission.safeParse(declared);
    return permission.success && grants(service, permission.data, invocation);
  });
}

function grants(
  service: string,
  { FunctionName, Action, Principal, SourceArn, SourceAccount }: z.infer<typeof Permission>,
  { functionArn, sourceArn, accountId }: Invocation,
): boolean {
  return (
    nameOf(FunctionName) === nameOf(functionArn) &&
    ['lambda:InvokeFunction', 'lambda:*', '*'].includes(Action) &&
    [service, '*'].includes(Principal) &&
    (SourceArn === undefined || isLike(SourceArn, sourceArn)) &&
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
