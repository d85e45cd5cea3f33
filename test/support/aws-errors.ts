/** An error as an SDK client throws it: named, with the status of the answer, or none when the network failed. */
const awsError = (name: string, httpStatusCode?: number): Error =>
  Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });

export const throttled = (): Error => awsError('ProvisionedThroughputExceededException', 400);
export const unavailable = (): Error => awsError('ServiceUnavailable', 503);
export const denied = (): Error => awsError('AccessDeniedException', 400);
export const timedOut = (): Error => Object.assign(new Error('socket'), { name: 'TimeoutError' });
