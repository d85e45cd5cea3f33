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
  'suppressions of audit findings': [
    ['CreateAuditSuppression', 'POST /audit/suppressions/create'],
    ['DeleteAuditSuppression', 'POST /audit/suppressions/delete'],
    ['DescribeAuditSuppression', 'POST /audit/suppressions/describe'],
    ['ListAuditSuppressions', 'POST /audit/suppressions/list'],
    ['UpdateAuditSuppression', 'PATCH /audit/suppressions/update'],
  ],
  'scheduled audits and mitigation actions beside those of the template': [
    ['CreateMitigationAction', 'POST /mitigationactions/actions/{actionName}'],
    ['CreateScheduledAudit', 'POST /audit/scheduledaudits/{scheduledAuditName}'],
    ['DeleteMitigationAction', 'DELETE /mitigationactions/actions/{actionName}'],
    ['DeleteScheduledAudit', 'DELETE /audit/scheduledaudits/{scheduledAuditName}'],
    ['UpdateMitigationAction', 'PATCH /mitigationactions/actions/{actionName}'],
    ['UpdateScheduledAudit', 'PATCH /audit/scheduledaudits/{scheduledAuditName}'],
  ],
  'audits and mitigations that take long enough to be canceled': [
    ['CancelAuditMitigationActionsTask', 'PUT /audit/mitigationactions/tasks/{taskId}/cancel'],
    ['CancelAuditTask', 'PUT /audit/tasks/{taskId}/cancel'],
  ],
  'domain configurations beside those of the template': [
    ['CreateDomainConfiguration', 'POST /domainConfigurations/{domainConfigurationName}'],
    ['DeleteDomainConfiguration', 'DELETE /domainConfigurations/{domainConfigurationName}'],
    ['UpdateDomainConfiguration', 'PUT /domainConfigurations/{domainConfigurationName}'],
  ],
  'list of mitigation tasks': [
    ['ListAuditMitigationActionsTasks', 'GET /audit/mitigationactions/tasks'],
  ],
  'logging by target': [
    ['DeleteV2LoggingLevel', 'DELETE /v2LoggingLevel'],
    ['ListV2LoggingLevels', 'GET /v2LoggingLevel'],
    ['SetV2LoggingLevel', 'POST /v2LoggingLevel'],
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
