import { describe, expect, it } from '@jest/globals';
import {
  compileFilterCriteria,
  KINESIS_FILTERS,
  SQS_FILTERS,
} from '../../../../local/core/events/filter-criteria.ts';

describe('filter criteria of a stream', () => {
  it.each([
    { patterns: [], content: 'not JSON', passes: true },
    {
      patterns: ['{"data":{"source":["lorawan"]}}'],
      content: '{"source":"lorawan"}',
      passes: true,
    },
    {
      patterns: ['{"data":{"source":["lorawan"]}}'],
      content: '{"source":"telemetry"}',
      passes: false,
    },
    {
      patterns: ['{"data":{"source":["a"]}}', '{"data":{"source":["b"]}}'],
      content: '{"source":"b"}',
      passes: true,
    },
    { patterns: ['{"data":{"source":[{"exists":false}]}}'], content: '{"other":1}', passes: true },
    { patterns: ['{"data":{"source":[{"exists":false}]}}'], content: 'not JSON', passes: false },
    { patterns: ['{"partitionKey":["probe-1"]}'], content: 'not JSON', passes: true },
    { patterns: ['{"partitionKey":["probe-2"]}'], content: '{}', passes: false },
  ])('$patterns let $content pass: $passes', ({ patterns, content, passes }) => {
    const filter = compileFilterCriteria(patterns, KINESIS_FILTERS);
    expect(filter({ content, metadata: { partitionKey: 'probe-1' } })).toBe(passes);
  });

  it.each([
    { patterns: ['no JSON'], says: 'Filters[0]: is no JSON object' },
    { patterns: ['{"data":["text"]}'], says: 'Filters[0].data: takes an object: content is JSON' },
    {
      patterns: ['{"data":{"a":[1]}}', '{"body":{"a":[1]}}'],
      says: 'Filters[1].body: a record has data, partitionKey',
    },
    {
      patterns: ['{"data":{"a":[{"cidr":"10.0.0.0/8"}]}}'],
      says: 'Filters[0]: data.a[0].cidr: the operator cidr is not supported',
    },
  ])('$patterns are refused', ({ patterns, says }) => {
    expect(() => compileFilterCriteria(patterns, KINESIS_FILTERS)).toThrow(says);
  });
});

describe('filter criteria of a queue', () => {
  it.each([
    { pattern: '{"body":["stop"]}', content: 'stop', passes: true },
    { pattern: '{"body":["stop"]}', content: '{"a":1}', passes: false },
    { pattern: '{"body":{"a":[1]}}', content: '{"a":1}', passes: true },
    { pattern: '{"body":{"a":[1]}}', content: 'stop', passes: false },
  ])('$pattern lets $content pass: $passes', ({ pattern, content, passes }) => {
    const filter = compileFilterCriteria([pattern], SQS_FILTERS);
    expect(filter({ content, metadata: {} })).toBe(passes);
  });
});
