import { sqsError } from './error.ts';

/** One receipt of one message: the handle of an earlier receipt no longer moves the message. */
export interface Receipt {
  readonly id: string;
  readonly receiveCount: number;
}

export const receiptHandle = (queueName: string, { id, receiveCount }: Receipt): string =>
  Buffer.from(`${queueName}/${id}/${receiveCount}`).toString('base64url');

/** @throws {AwsError} `ReceiptHandleIsInvalid` for what is no handle of this queue */
export function parseReceiptHandle(handle: string, queueName: string): Receipt {
  const [name, id, count] = Buffer.from(handle, 'base64url').toString('utf8').split('/');
  if (name === queueName && id !== undefined && /^\d+$/.test(count ?? '')) {
    return { id, receiveCount: Number(count) };
  }
  throw sqsError(
    'ReceiptHandleIsInvalid',
    `The input receipt handle ${JSON.stringify(handle)} is not one of queue ${queueName}.`,
    404,
  );
}
