/** Where a function runs, as its own ARN says. */
export interface Place {
  readonly partition: string;
  readonly region: string;
  readonly accountId: string;
}

/** @param arn  `arn:<partition>:lambda:<region>:<account>:function:<name>` */
export function placeOf(arn: string): Place {
  const [, partition = '', , region = '', accountId = ''] = arn.split(':');
  return { partition, region, accountId };
}
