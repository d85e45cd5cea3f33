import * as z from 'zod';
import { RegistryError } from '../../../core/registry/index.ts';
import { findingOutput } from '../../../runtime/audit/finding-output.ts';
import type { Operation } from '../../operation.ts';
import { iotOperation, members } from '../iot-call.ts';
import { creationKey, page } from '../page.ts';
import { type AuditDeps, BodyTime, bodyPageMembers, CheckNameInput } from './audit-call.ts';

const Input = members({
  ...bodyPageMembers,
  taskId: z.string().optional(),
  checkName: CheckNameInput.optional(),
  resourceIdentifier: z.record(z.string(), z.unknown()).optional(),
  startTime: BodyTime.optional(),
  endTime: BodyTime.optional(),
  /** Nothing is suppressed here. */
  listSuppressedFindings: z.boolean().optional(),
});

/** By task, or by time; the newest first. */
export const listAuditFindings = ({ audits }: AuditDeps): Operation =>
  iotOperation({
    name: 'ListAuditFindings',
    http: 'POST /audit/findings',
    input: Input,
    on: () => '*',
    run: ({ taskId, checkName, resourceIdentifier, startTime, endTime, ...asked }) => {
      const byTime = startTime !== undefined && endTime !== undefined;
      if (byTime === (taskId !== undefined))
        throw new RegistryError(
          'InvalidRequestException',
          'findings are asked for by taskId, or by startTime and endTime',
        );
      const wanted = audits
        .findings()
        .filter((one) => taskId === undefined || one.taskId === taskId)
        .filter((one) => checkName === undefined || one.checkName === checkName)
        .filter(({ foundMs }) => !byTime || (foundMs >= startTime && foundMs <= endTime))
        .filter(
          ({ nonCompliantResource }) =>
            resourceIdentifier === undefined ||
            same(nonCompliantResource.resourceIdentifier, resourceIdentifier),
        );
      const { items, next } = page(
        wanted,
        ({ foundMs, findingId }) => creationKey(foundMs, findingId),
        { token: asked.nextToken, size: asked.maxResults, descending: true },
      );
      const suppressed = asked.listSuppressedFindings === true;
      return { findings: suppressed ? [] : items.map(findingOutput), nextToken: next };
    },
  });

const same = (one: object, other: object): boolean => JSON.stringify(one) === JSON.stringify(other);
