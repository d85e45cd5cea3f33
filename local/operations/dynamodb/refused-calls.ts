import * as z from 'zod';
import { AwsError, type Operation, operation } from '../operation.ts';
import { API } from './access.ts';

const STREAMS_API = 'DynamoDBStreams_20120810';

/** Calls of the real service, by what the laptop's tables lack for them. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  transactions: [`${API}.TransactGetItems`, `${API}.TransactWriteItems`],
  PartiQL: [`${API}.ExecuteStatement`, `${API}.BatchExecuteStatement`, `${API}.ExecuteTransaction`],
  'point-in-time recovery': [
    `${API}.DescribeContinuousBackups`,
    `${API}.UpdateContinuousBackups`,
    `${API}.RestoreTableToPointInTime`,
  ],
  backups: [
    `${API}.CreateBackup`,
    `${API}.DeleteBackup`,
    `${API}.DescribeBackup`,
    `${API}.ListBackups`,
    `${API}.RestoreTableFromBackup`,
  ],
  'resource policies': [
    `${API}.GetResourcePolicy`,
    `${API}.PutResourcePolicy`,
    `${API}.DeleteResourcePolicy`,
  ],
  'exports and imports': [`${API}.ExportTableToPointInTime`, `${API}.ImportTable`],
  streams: [
    `${STREAMS_API}.DescribeStream`,
    `${STREAMS_API}.GetRecords`,
    `${STREAMS_API}.GetShardIterator`,
    `${STREAMS_API}.ListStreams`,
    `${API}.DescribeKinesisStreamingDestination`,
    `${API}.EnableKinesisStreamingDestination`,
  ],
};

export const refusedCalls = (): Operation[] =>
  Object.entries(REFUSED).flatMap(([lacking, targets]) =>
    targets.map((target) => refused(target, lacking)),
  );

const refused = (target: string, lacking: string): Operation =>
  operation({
    route: { target },
    input: z.unknown(),
    needs: () => [],
    run() {
      const name = target.split('.').at(-1);
      const message = `${name}: the laptop's DynamoDB has no ${lacking}.`;
      throw new AwsError('UnknownOperationException', message);
    },
  });
