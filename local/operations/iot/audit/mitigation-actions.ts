import * as z from 'zod';
import { found } from '../../../core/registry/index.ts';
import type { MitigationAction } from '../../../stores/audit-store.ts';
import type { Operation } from '../../operation.ts';
import { iotOperation, members, seconds } from '../iot-call.ts';
import { page } from '../page.ts';
import { type AuditDeps, queryPageMembers } from './audit-call.ts';

export const typeOf = ({ params }: MitigationAction): string =>
  'publishFindingToSnsParams' in params ? 'PUBLISH_FINDING_TO_SNS' : 'UPDATE_DEVICE_CERTIFICATE';

export const describeMitigationAction = ({ audits }: AuditDeps): Operation =>
  iotOperation({
    name: 'DescribeMitigationAction',
    http: 'GET /mitigationactions/actions/{actionName}',
    input: members({ actionName: z.string() }),
    on: () => '*',
    run: ({ actionName }) => {
      const action = found(
        audits.mitigations().find(({ name }) => name === actionName),
        'mitigation action',
        actionName,
      );
      return {
        actionName,
        actionType: typeOf(action),
        actionArn: action.arn,
        actionId: action.id,
        roleArn: action.roleArn,
        actionParams: action.params,
        creationDate: seconds(action.createdMs),
        lastModifiedDate: seconds(action.createdMs),
      };
    },
  });

export const listMitigationActions = ({ audits }: AuditDeps): Operation =>
  iotOperation({
    name: 'ListMitigationActions',
    http: 'GET /mitigationactions/actions',
    input: members({ ...queryPageMembers, actionType: z.string().optional() }),
    on: () => '*',
    run: ({ actionType, nextToken, maxResults }) => {
      const { items, next } = page(
        audits
          .mitigations()
          .filter((one) => actionType === undefined || typeOf(one) === actionType),
        ({ name }) => name,
        { token: nextToken, size: maxResults },
      );
      return {
        actionIdentifiers: items.map(({ name, arn, createdMs }) => ({
          actionName: name,
          actionArn: arn,
          creationDate: seconds(createdMs),
        })),
        nextToken: next,
      };
    },
  });
