import type { AuditedAccount, CheckResult, ConnectionRecord } from './account.ts';
import type { AuditedResource, Breach } from './finding.ts';

const CERTIFICATE_ID = /^[0-9a-f]{64}$/;

/**
 * A certificate under which several client ids were connected at the same time.
 *
 * @see AWS IoT Device Defender Developer Guide, "Device certificate shared"
 */
export function sharedCertificates({ connections }: AuditedAccount): CheckResult {
  const byCertificate = Map.groupBy(
    connections.filter(({ principal }) => CERTIFICATE_ID.test(principal)),
    ({ principal }) => principal,
  );
  const breaches = [...byCertificate].flatMap(([deviceCertificateId, ofIt]): Breach[] => {
    const shared = atTheSameTime(ofIt);
    if (shared.length === 0) return [];
    return [
      {
        nonCompliantResource: {
          resourceType: 'DEVICE_CERTIFICATE',
          resourceIdentifier: { deviceCertificateId },
        },
        relatedResources: newestFirst(shared).map((one) => ({
          resourceType: 'CLIENT_ID',
          resourceIdentifier: { clientId: one.clientId },
          additionalInfo: timesOf(one),
        })),
        reasonForNonCompliance: 'Several client ids were connected by the certificate at once.',
        reasonForNonComplianceCode: 'CERTIFICATE_SHARED_BY_MULTIPLE_DEVICES',
      },
    ];
  });
  return { total: byCertificate.size, breaches };
}

/** Those that a connection of another client id overlaps. */
function atTheSameTime(connections: readonly ConnectionRecord[]): readonly ConnectionRecord[] {
  const found = new Set<ConnectionRecord>();
  const open: ConnectionRecord[] = [];
  for (const one of connections.toSorted((a, b) => a.connectedMs - b.connectedMs)) {
    const still = open.filter((other) => endOf(other) > one.connectedMs);
    for (const other of still) {
      if (other.clientId !== one.clientId) found.add(other).add(one);
    }
    open.splice(0, open.length, ...still, one);
  }
  return [...found];
}

const endOf = ({ disconnectedMs }: ConnectionRecord): number =>
  disconnectedMs ?? Number.POSITIVE_INFINITY;

const TAKEN_OVER = new Set(['DUPLICATE_CLIENTID', 'DUPLICATE_CLIENT_ID']);

/**
 * A client id whose connection was ended by another under the same id.
 *
 * @see AWS IoT Device Defender Developer Guide, "Conflicting MQTT client IDs"
 */
export function conflictingClientIds({ connections }: AuditedAccount): CheckResult {
  const byClient = Map.groupBy(connections, ({ clientId }) => clientId);
  const breaches = [...byClient].flatMap(([clientId, ofIt]): Breach[] => {
    const ended = ofIt.filter(({ disconnectReason = '' }) => TAKEN_OVER.has(disconnectReason));
    if (ended.length === 0) return [];
    return [
      {
        nonCompliantResource: { resourceType: 'CLIENT_ID', resourceIdentifier: { clientId } },
        relatedResources: newestFirst(ended).map(endedConnection),
        reasonForNonCompliance: `Connections of the client id ended each other, ${ended.length} times.`,
        reasonForNonComplianceCode: 'DUPLICATE_CLIENT_ID_ACROSS_CONNECTIONS',
      },
    ];
  });
  return { total: byClient.size, breaches };
}

function endedConnection(one: ConnectionRecord): AuditedResource {
  const additionalInfo = timesOf(one);
  return CERTIFICATE_ID.test(one.principal)
    ? {
        resourceType: 'DEVICE_CERTIFICATE',
        resourceIdentifier: { deviceCertificateId: one.principal },
        additionalInfo,
      }
    : {
        resourceType: 'CLIENT_ID',
        resourceIdentifier: { clientId: one.clientId },
        additionalInfo: { ...additionalInfo, PRINCIPAL_ID: one.principal },
      };
}

const newestFirst = (connections: readonly ConnectionRecord[]): readonly ConnectionRecord[] =>
  connections.toSorted((a, b) => b.connectedMs - a.connectedMs).slice(0, MOST_RELATED);

/** A device that flaps for a month has thousands. */
const MOST_RELATED = 100;

const timesOf = ({
  connectedMs,
  disconnectedMs,
}: ConnectionRecord): Readonly<Record<string, string>> => ({
  CONNECTION_TIME: String(connectedMs),
  ...(disconnectedMs !== undefined && { DISCONNECTION_TIME: String(disconnectedMs) }),
});
