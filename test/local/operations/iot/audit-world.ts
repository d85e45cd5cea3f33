import { IoTClient } from '@aws-sdk/client-iot';
import type { LogEntry } from '../../../../local/core/log.ts';
import { auditOperations } from '../../../../local/operations/iot/audit/index.ts';
import { iotOperations } from '../../../../local/operations/iot/index.ts';
import type { Need } from '../../../../local/operations/operation.ts';
import type { DevelopmentPki } from '../../../../local/pki/index.ts';
import { createAuditor } from '../../../../local/runtime/audit/auditor.ts';
import { createMitigator } from '../../../../local/runtime/audit/mitigator.ts';
import {
  createAuditStore,
  type MitigationAction,
  type ScheduledAudit,
} from '../../../../local/stores/audit-store.ts';
import { createConnectionHistory } from '../../../../local/stores/connection-history.ts';
import { createLoggingStore } from '../../../../local/stores/logging-store.ts';
import { createRegistry } from '../../../../local/stores/registry.ts';
import { ACCOUNT, clientOf, REGION, serve } from '../endpoint.ts';
import { ARN, NOW } from './iot-world.ts';

export const ROLE = `arn:aws:iam::${ACCOUNT}:role/audit`;
export const TOPIC = `arn:aws:sns:${REGION}:${ACCOUNT}:findings`;

const action = (name: string, params: MitigationAction['params']): MitigationAction => ({
  name,
  arn: `${ARN}mitigationaction/${name}`,
  id: name,
  roleArn: ROLE,
  createdMs: NOW,
  params,
});

/** A registry with audits behind the real endpoint; a topic that keeps what it is told. */
export async function openAuditWorld(pki: DevelopmentPki) {
  const clock = { ms: NOW };
  const now = () => clock.ms++;
  const registry = createRegistry({ now, accountId: ACCOUNT, region: REGION });
  const history = createConnectionHistory();
  const logging = createLoggingStore();
  const daily: ScheduledAudit = {
    name: 'daily',
    arn: `${ARN}scheduledaudit/daily`,
    frequency: 'DAILY',
    checks: ['LOGGING_DISABLED_CHECK'],
  };
  const store = createAuditStore(
    {
      scheduled: [daily],
      mitigations: [
        action('publish', { publishFindingToSnsParams: { topicArn: TOPIC } }),
        action('deactivate', { updateDeviceCertificateParams: { action: 'DEACTIVATE' } }),
      ],
    },
    { now },
  );
  const lacking = new Set<string>();
  const lists = new Map<string, Uint8Array>();
  const told: { topicArn: string; message: string }[] = [];
  const log: LogEntry[] = [];
  const common = {
    store,
    registry,
    now,
    missing: (_role: string, needs: readonly Need[]) => {
      const denied = needs.find((need) => lacking.has(need.action));
      return denied && `the role lacks ${denied.action}`;
    },
    publish: (topicArn: string, message: string) => void told.push({ topicArn, message }),
    publishNeeds: (topicArn: string) => [{ action: 'sns:Publish', resource: topicArn }],
  };
  const auditor = createAuditor({
    ...common,
    history,
    loggingEnabled: logging.enabled,
    accountId: ACCOUNT,
    fetchList: async (url) => {
      const list = lists.get(url);
      if (list === undefined) throw new Error('there is no such list');
      return list;
    },
    uuid: () => crypto.randomUUID(),
    log: (entry) => void log.push(entry),
  });
  const server = await serve([
    ...iotOperations({ registry, pki, accountId: ACCOUNT }),
    ...auditOperations({ audits: store, auditor, mitigator: createMitigator(common), logging }),
  ]);
  const iot = new IoTClient(clientOf(server.url));
  const event = (eventType: string, clientId: string, timestamp: number) => ({
    eventType,
    clientId,
    sessionIdentifier: `${clientId} ${NOW}`,
    principalIdentifier: 'c'.repeat(64),
    timestamp,
    disconnectReason: 'DUPLICATE_CLIENTID',
  });
  return {
    clock,
    registry,
    history,
    auditor,
    daily,
    lacking,
    /** Revocation lists by address. */
    lists,
    told,
    log,
    iot,
    /** A connection that another one ended. */
    conflict: (clientId: string, atMs: number) => {
      history.note(event('connected', clientId, atMs));
      history.note(event('disconnected', clientId, atMs + 1));
    },
    close: async () => {
      iot.destroy();
      await server.close();
    },
  };
}
