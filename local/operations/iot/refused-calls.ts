import * as z from 'zod';
import { AwsError, type Operation, operation } from '../operation.ts';

/** Calls of the real service, by what the laptop lacks for them. */
const REFUSED: Readonly<Record<string, readonly (readonly [name: string, http: string])[]>> = {
  'jobs for things': [
    ['AssociateTargetsWithJob', 'POST /jobs/{jobId}/targets'],
    ['CancelJob', 'PUT /jobs/{jobId}/cancel'],
    ['CancelJobExecution', 'PUT /things/{thingName}/jobs/{jobId}/cancel'],
    ['CreateJob', 'PUT /jobs/{jobId}'],
    ['DeleteJob', 'DELETE /jobs/{jobId}'],
    ['DescribeJob', 'GET /jobs/{jobId}'],
    ['DescribeJobExecution', 'GET /things/{thingName}/jobs/{jobId}'],
    ['GetJobDocument', 'GET /jobs/{jobId}/job-document'],
    ['ListJobExecutionsForJob', 'GET /jobs/{jobId}/things'],
    ['ListJobExecutionsForThing', 'GET /things/{thingName}/jobs'],
    ['ListJobs', 'GET /jobs'],
    ['UpdateJob', 'PATCH /jobs/{jobId}'],
  ],
};

const SHADOWS = [
  ['DeleteThingShadow', 'DELETE /things/{thingName}/shadow'],
  ['GetThingShadow', 'GET /things/{thingName}/shadow'],
  ['UpdateThingShadow', 'POST /things/{thingName}/shadow'],
  ['ListNamedShadowsForThing', 'GET /api/things/shadow/ListNamedShadowsForThing/{thingName}'],
] as const;

export const refusedCalls = (): Operation[] => [
  ...Object.entries(REFUSED).flatMap(([lacking, calls]) =>
    calls.map(([name, http]) => refused('iot', name, http, lacking)),
  ),
  ...SHADOWS.map(([name, http]) => refused('iotdata', name, http, 'device shadows')),
];

function refused(service: string, name: string, http: string, lacking: string): Operation {
  const [method = '', path = ''] = http.split(' ');
  return operation({
    route: { service, method, path },
    input: z.unknown(),
    fromHttp: () => ({}),
    needs: () => [],
    run() {
      throw new AwsError(
        'UnknownOperationException',
        `${name}: the laptop has no ${lacking}.`,
        404,
      );
    },
  });
}
