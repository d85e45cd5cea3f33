import type { SecurityProfile } from './profile.ts';

const once = { consecutiveDatapointsToAlarm: 1, consecutiveDatapointsToClear: 1 } as const;
const fiveMinutes = { ...once, durationSeconds: 300 } as const;

const atMost = (
  name: string,
  metric: string,
  count: number,
): SecurityProfile['behaviors'][number] => ({
  name,
  metric,
  criteria: { ...fiveMinutes, comparisonOperator: 'less-than-equals', value: { count } },
});

/**
 * What every device of a fleet is held against unless a stage says otherwise: a message each two seconds with twice
 * that in reserve, payloads of a quarter of what the broker takes, connections that hold.
 */
export const DEFAULT_PROFILES: readonly SecurityProfile[] = [
  {
    securityProfileName: 'tributary-fleet',
    securityProfileDescription: 'What a device of the fleet normally does',
    targets: ['all/things'],
    behaviors: [
      atMost('messages-sent', 'aws:num-messages-sent', 300),
      {
        name: 'message-size',
        metric: 'aws:message-byte-size',
        criteria: { ...once, comparisonOperator: 'less-than-equals', value: { count: 32_768 } },
      },
      atMost('authorization-failures', 'aws:num-authorization-failures', 5),
      atMost('connection-attempts', 'aws:num-connection-attempts', 10),
      atMost('disconnects', 'aws:num-disconnects', 10),
      atMost('malformed-payloads', 'tributary:num-malformed-payloads', 10),
      atMost('forbidden-accesses', 'tributary:num-forbidden-accesses', 3),
      atMost('duplicate-client-ids', 'tributary:num-duplicate-client-ids', 2),
      atMost('repeated-frames', 'tributary:num-repeated-frames', 0),
      atMost('frame-counter-resets', 'tributary:num-frame-counter-resets', 0),
      atMost('joins', 'tributary:num-joins', 5),
      atMost('mic-failures', 'tributary:num-mic-failures', 0),
    ],
  },
];
