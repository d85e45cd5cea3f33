import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { normalise } from '../../../functions/ingest/normalise.ts';
import type { Envelope } from '../../../shared/core/envelope.ts';
import { readingId } from '../../../shared/core/reading-id.ts';
import { parseTopic } from '../../../shared/core/topic.ts';
import { envelope, RECEIVED_AT_MS } from '../../support/uplinks.ts';

const read = (message: Envelope) => normalise(message, parseTopic(message.topic));
const idsOf = (message: Envelope) => read(message).map(({ id }) => id);

/** The same bytes once more from the device: the rule runs again, later. */
const resent = (message: Envelope): Envelope => ({
  ...message,
  messageId: `${message.messageId}-again`,
  receivedAtMs: message.receivedAtMs + 40_000,
  traceId: 'another',
});

const time = RECEIVED_AT_MS - 5_000;

describe("a reading's id", () => {
  it.each([
    ['a message id', { mid: 7, a: 1 }],
    ['a time', { ts: time, a: 1 }],
    ['a counter', { seq: 4, a: 1 }],
    ['a time that is clamped', { ts: RECEIVED_AT_MS + 60_000, a: 1 }],
    [
      'samples with times',
      [
        { ts: time, a: 1 },
        { ts: time, a: 1 },
      ],
    ],
  ])('is the same for a resend with %s', (_what, payload) => {
    const message = envelope(payload);
    expect(idsOf(resent(message))).toEqual(idsOf(message));
  });

  it('is the same for a redelivered record, whatever it holds', () => {
    const message = envelope({ a: 1 });
    expect(idsOf({ ...message })).toEqual(idsOf(message));
  });

  it('is another for equal readings that have nothing of their own to tell them by', () => {
    const message = envelope({ a: 1 });
    expect(idsOf(resent(message))).not.toEqual(idsOf(message));
  });

  it.each([
    ['thing', envelope({ mid: 7, a: 1 }, { topic: 'dt/acme/probe-2/telemetry' })],
    ['kind', envelope({ mid: 7, a: 1 }, { topic: 'dt/acme/probe-1/status' })],
    ['message id', envelope({ mid: 8, a: 1 })],
    ['type of message id', envelope({ mid: '7', a: 1 })],
  ])('is another for another %s', (_what, other) => {
    expect(idsOf(other)).not.toEqual(idsOf(envelope({ mid: 7, a: 1 })));
  });

  it('is another for each sample of a message', () => {
    const same = { ts: time, a: 1 };
    const messages = [
      envelope([same, same, same]),
      envelope([1, 2, 3].map(() => ({ ...same, mid: 'm' }))),
    ];
    for (const message of messages) expect(new Set(idsOf(message)).size).toBe(3);
  });

  it('follows the message id rather than the content, when there is one', () => {
    expect(idsOf(envelope({ mid: 7, a: 2 }))).toEqual(idsOf(envelope({ mid: 7, a: 1 })));
  });

  it('is equal if and only if what identifies the reading is', () => {
    const name = fc.constantFrom('a', 'b', 'a-1');
    const text = fc.constantFrom('', '1', 'a\n1', 'payload', 'envelope\na');
    const identity = fc.record({
      thing: name,
      kind: fc.constantFrom('telemetry' as const, 'status' as const),
      index: fc.nat(2),
      messageId: text,
      timed: fc.boolean(),
      mid: fc.option(fc.oneof(text, fc.nat(2)), { nil: undefined }),
      digest: text,
    });
    const idOf = ({
      mid,
      digest,
      ...rest
    }: typeof identity extends fc.Arbitrary<infer T> ? T : never) =>
      readingId(mid === undefined ? rest : { ...rest, mid }, () => digest);
    fc.assert(
      fc.property(identity, identity, (one, other) => {
        const decides = ({ thing, kind, index, mid, timed, digest, messageId }: typeof one) =>
          JSON.stringify([
            thing,
            kind,
            index,
            mid === undefined
              ? timed
                ? ['digest', digest]
                : ['envelope', messageId]
              : ['mid', mid],
          ]);
        expect(idOf(one) === idOf(other)).toBe(decides(one) === decides(other));
      }),
      { numRuns: 2_000 },
    );
  });
});
