import * as z from 'zod';
import { AwsError, type Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';

/** Without a type AWS answers with `iot:Data`. */
export const describeEndpoint = ({ endpointOf }: IotDeps): Operation =>
  iotOperation({
    name: 'DescribeEndpoint',
    http: 'GET /endpoint',
    input: members({ endpointType: z.string().optional() }),
    on: () => '*',
    run: ({ endpointType = 'iot:Data' }) => {
      const endpointAddress = endpointOf?.(endpointType);
      if (endpointAddress !== undefined) return { endpointAddress };
      throw new AwsError(
        'InvalidRequestException',
        `the laptop has no endpoint of type "${endpointType}"`,
      );
    },
  });
