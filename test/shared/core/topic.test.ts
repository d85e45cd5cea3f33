import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatTopic, parseTopic } from '../../../shared/core/topic.ts';

const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

describe('a topic', () => {
  it('names fleet, thing and kind', () => {
    expect(parseTopic('dt/acme/probe-1/status')).toEqual({
      fleet: 'acme',
      thing: 'probe-1',
      kind: 'status',
    });
  });

  it('survives being written and read', () => {
    const topics = fc.record({
      fleet: name,
      thing: name,
      kind: fc.constantFrom('telemetry' as const, 'status' as const),
    });
    fc.assert(
      fc.property(topics, (topic) => expect(parseTopic(formatTopic(topic))).toEqual(topic)),
    );
  });

  it.each([
    ['', 'MALFORMED_TOPIC: topic: level 1 wants dt'],
    ['cmd/acme/probe-1/telemetry', 'MALFORMED_TOPIC: topic: level 1 wants dt'],
    ['$aws/rules/r/dt/acme/probe-1/telemetry', 'MALFORMED_TOPIC: topic: level 1 wants dt'],
    ['dt/acme/probe-1', 'MALFORMED_TOPIC: topic: wants dt/<fleet>/<thing>/<kind>, has 3 levels'],
    ['dt/acme/probe-1/telemetry/', 'wants dt/<fleet>/<thing>/<kind>, has 5 levels'],
    [`dt${'/a'.repeat(9)}`, 'wants dt/<fleet>/<thing>/<kind>, has more than 5 levels'],
    ['dt//probe-1/telemetry', 'MALFORMED_TOPIC: topic: level 2 (fleet) is not a name'],
    ['dt/acme/pröbe/telemetry', 'MALFORMED_TOPIC: topic: level 3 (thing) is not a name'],
    [`dt/acme/${'a'.repeat(65)}/telemetry`, 'topic: level 3 (thing) is not a name'],
    ['dt/acme/probe-1/telemetrie', 'UNKNOWN_KIND: topic: level 4 (kind) is unknown'],
  ])('%j is refused, saying where', (topic, message) => {
    expect(() => parseTopic(topic)).toThrow(message);
  });
});
