import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { Incident } from '../../core/security/incident.ts';
import { patiently } from '../patiently.ts';
import type { RetryTools, TimeLeft } from '../retry.ts';

/**
 * Incidents as events, for machines: `source` is `tributary`, the detail is the incident without what only counting
 * needs.
 *
 * @see Amazon EventBridge API Reference, PutEvents
 */
export const announcer =
  (client: Pick<EventBridgeClient, 'send'>, bus: string, tools: RetryTools) =>
  async (incident: Incident, timeLeft: TimeLeft): Promise<void> => {
    const {
      counted: _counted,
      endedEarly: _ended,
      alarms: _alarms,
      told: _told,
      ...detail
    } = incident;
    const put = new PutEventsCommand({
      Entries: [
        {
          EventBusName: bus,
          Source: 'tributary',
          DetailType: 'Security incident',
          Detail: JSON.stringify(detail),
        },
      ],
    });
    const { FailedEntryCount = 0, Entries = [] } = await patiently(
      () => client.send(put),
      tools,
      timeLeft,
    );
    if (FailedEntryCount > 0) throw new Error(`an event was refused: ${Entries[0]?.ErrorCode}`);
  };
