import * as z from 'zod';
import type { ResolvedResource } from '../core/template/index.ts';
import { destinationNeed } from './lambda-authorize.ts';

/** How long and how often an asynchronous event is tried, and who is told of its end. */
export interface AsyncSettings {
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeSeconds: number;
  readonly onSuccessArn?: string;
  readonly onFailureArn?: string;
  /** The function's older dead-letter target: gets the bare event. */
  readonly deadLetterArn?: string;
}

export const DEFAULT_ASYNC_SETTINGS: AsyncSettings = {
  maximumRetryAttempts: 2,
  maximumEventAgeSeconds: 21_600,
};

const Destination = z.strictObject({ Destination: z.string() }).optional();

const Properties = z.strictObject({
  FunctionName: z.string(),
  Qualifier: z.literal('$LATEST', 'only $LATEST is run'),
  MaximumRetryAttempts: z.int().min(0).max(2).default(DEFAULT_ASYNC_SETTINGS.maximumRetryAttempts),
  MaximumEventAgeInSeconds: z
    .int()
    .min(60)
    .max(21_600)
    .default(DEFAULT_ASYNC_SETTINGS.maximumEventAgeSeconds),
  DestinationConfig: z.strictObject({ OnSuccess: Destination, OnFailure: Destination }).optional(),
});

/**
 * Reads an `AWS::Lambda::EventInvokeConfig`.
 *
 * @throws {Error} naming the resource and what is wrong or not supported
 */
export function declaredAsyncSettings({ logicalId, properties }: ResolvedResource): {
  readonly functionName: string;
  readonly settings: AsyncSettings;
} {
  const parsed = Properties.safeParse(properties);
  if (!parsed.success) throw new Error(`Resources.${logicalId}: ${z.prettifyError(parsed.error)}`);
  const { FunctionName, MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig } =
    parsed.data;
  const onSuccessArn = DestinationConfig?.OnSuccess?.Destination;
  const onFailureArn = DestinationConfig?.OnFailure?.Destination;
  for (const arn of [onSuccessArn, onFailureArn]) if (arn !== undefined) destinationNeed(arn);
  const settings = {
    maximumRetryAttempts: MaximumRetryAttempts,
    maximumEventAgeSeconds: MaximumEventAgeInSeconds,
    ...(onSuccessArn !== undefined && { onSuccessArn }),
    ...(onFailureArn !== undefined && { onFailureArn }),
  };
  return { functionName: FunctionName.replace(/^.*:function:/, ''), settings };
}
