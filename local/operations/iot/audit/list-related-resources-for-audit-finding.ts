import * as z from 'zod';
import { found } from '../../../core/registry/index.ts';
import type { Operation } from '../../operation.ts';
import { iotOperation, members } from '../iot-call.ts';
import { creationKey, page } from '../page.ts';
import { type AuditDeps, queryPageMembers } from './audit-call.ts';

/** All that a finding is about beside its resource; the finding itself holds the first ten. */
export const listRelatedResourcesForAuditFinding = ({ audits }: AuditDeps): Operation =>
  iotOperation({
    name: 'ListRelatedResourcesForAuditFinding',
    http: 'GET /audit/relatedResources',
    input: members({ ...queryPageMembers, findingId: z.string() }),
    on: () => '*',
    run: ({ findingId, nextToken, maxResults }) => {
      const finding = found(audits.finding(findingId), 'audit finding', findingId);
      const { items, next } = page(
        (finding.relatedResources ?? []).map((resource, place) => ({ resource, place })),
        ({ place }) => creationKey(place, ''),
        { token: nextToken, size: maxResults },
      );
      return { relatedResources: items.map(({ resource }) => resource), nextToken: next };
    },
  });
