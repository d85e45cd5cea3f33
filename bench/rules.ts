import { parseArgs } from 'node:util';
import { compileRule, type SqlEnvironment, type SqlMessage } from '../local/core/sql/index.ts';
import { createRulesEngine, type TopicRuleSpec } from '../local/runtime/rules-engine.ts';
import { type Contestant, interleave, median } from './support/rounds.ts';

/*
 * CPU of topic rules: ten typical statements beside JavaScript written by hand that makes the same bytes of the parsed
 * payload, and beside parsing alone; then 1,000 rules on one topic tree, as they match or not.
 */

const EVALUATIONS = 4_000;
const ROUNDS = { warmUps: 3, rounds: 15 };
const PUBLISHED = 500;

interface Payload {
  readonly id: string;
  readonly type: string;
  readonly mode: string;
  readonly temperature: number;
  readonly humidity: number;
  readonly state: { readonly reported: { readonly level: number; readonly firmware: string } };
  readonly samples: readonly { readonly v: number; readonly t: number }[];
}

const PAYLOAD: Payload = {
  id: 'probe-0017',
  type: 'telemetry',
  mode: 'eco',
  temperature: 31.5,
  humidity: 58,
  state: { reported: { level: 3, firmware: '4.2.1' } },
  samples: Array.from({ length: 10 }, (_, at) => ({ v: at * 3, t: 1_790_000_000_000 + at })),
};

const BYTES = Buffer.from(JSON.stringify(PAYLOAD));
const TOPIC = 'dt/acme/probe-0017/telemetry';
const ENV: SqlEnvironment = {
  nowMs: 1_790_000_000_250,
  accountId: '000000000000',
  region: 'eu-central-1',
  random: () => 0.5,
  uuid: () => '0f1ab6f4-30a3-4a7e-8a52-9d1d3cf0a7c1',
};

const newMessage = (): SqlMessage => ({
  topic: TOPIC,
  payload: BYTES,
  protocol: 'mqtt',
  clientId: 'probe-0017',
  principal: '7f4b1c0e9a3d5f62b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5',
  sourceIp: '203.0.113.7',
  traceId: '6f9c2f7a-6a3c-4bd0-9df2-3b0f7f6f7d20',
});

interface Typical {
  readonly name: string;
  readonly sql: string;
  /** The same by hand; undefined where nothing goes out. */
  readonly byHand: (payload: Payload, message: SqlMessage) => unknown;
}

const TYPICAL: readonly Typical[] = [
  {
    name: 'envelope, unread',
    sql: "SELECT 1 AS v, 'telemetry' AS source, encode(*, 'base64') AS data, topic() AS topic, principal() AS principal, clientid() AS clientId, sourceip() AS sourceIp, timestamp() AS receivedAtMs, traceid() AS traceId, newuuid() AS messageId FROM 'dt/#'",
    byHand: (_, { topic, payload, principal, clientId, sourceIp, traceId }) => ({
      v: 1,
      source: 'telemetry',
      data: Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('base64'),
      topic,
      principal,
      clientId,
      sourceIp,
      receivedAtMs: ENV.nowMs,
      traceId,
      messageId: ENV.uuid(),
    }),
  },
  { name: 'everything', sql: "SELECT * FROM 'dt/#'", byHand: (payload) => payload },
  {
    name: 'two fields, filtered',
    sql: "SELECT temperature, humidity FROM 'dt/#' WHERE temperature > 30",
    byHand: ({ temperature, humidity }) =>
      temperature > 30 ? { temperature, humidity } : undefined,
  },
  {
    name: 'everything and more',
    sql: "SELECT *, topic(3) AS thing, timestamp() AS ts FROM 'dt/#'",
    byHand: (payload, { topic }) => ({ ...payload, thing: topic.split('/')[2], ts: ENV.nowMs }),
  },
  {
    name: 'nested fields',
    sql: "SELECT state.reported.level AS level, state.reported.firmware AS firmware FROM 'dt/#'",
    byHand: ({ state: { reported } }) => ({
      level: reported.level,
      firmware: reported.firmware,
    }),
  },
  {
    name: 'arithmetic',
    sql: "SELECT temperature * 1.8 + 32 AS fahrenheit, round(humidity * 0.5) AS half FROM 'dt/#'",
    byHand: ({ temperature, humidity }) => ({
      fahrenheit: temperature * 1.8 + 32,
      half: Math.round(humidity * 0.5),
    }),
  },
  {
    name: 'text',
    sql: "SELECT concat(upper(type), '-', substring(id, 0, 5)) AS tag FROM 'dt/#' WHERE startswith(id, 'probe')",
    byHand: ({ type, id }) =>
      id.startsWith('probe') ? { tag: `${type.toUpperCase()}-${id.slice(0, 5)}` } : undefined,
  },
  {
    name: 'cases',
    sql: "SELECT CASE mode WHEN 'eco' THEN 1 WHEN 'boost' THEN 2 ELSE 0 END AS gear, id FROM 'dt/#'",
    byHand: ({ mode, id }) => ({ gear: mode === 'eco' ? 1 : mode === 'boost' ? 2 : 0, id }),
  },
  {
    name: 'array, filtered',
    sql: "SELECT (SELECT VALUE v FROM samples WHERE v > 10) AS high FROM 'dt/#'",
    byHand: ({ samples }) => ({ high: samples.filter(({ v }) => v > 10).map(({ v }) => v) }),
  },
  {
    name: 'not for us',
    sql: "SELECT * FROM 'dt/#' WHERE type = 'alarm' AND state.reported.level >= 3",
    byHand: (payload) =>
      payload.type === 'alarm' && payload.state.reported.level >= 3 ? payload : undefined,
  },
];

/** The outgoing bytes are made and looked at, or the engine would be right to leave the work out. */
let seen = 0;

const times = (count: number, work: (turn: number) => number) => async () => {
  for (let turn = 0; turn < count; turn += 1) seen += work(turn);
};

/** Equal payloads, so that the compiler cannot take the work by hand out of the loop, as no stream of messages lets it. */
const EQUAL: readonly Payload[] = Array.from({ length: 8 }, () => structuredClone(PAYLOAD));

function contestantsFor({ name, sql, byHand }: Typical): Contestant[] {
  const rule = compileRule(sql);
  const same = newMessage();
  const evaluate = (message: SqlMessage): number => {
    const outcome = rule.evaluate(message, ENV);
    return outcome.matched ? outcome.payload.length : 1;
  };
  checkSame(sql, rule.evaluate(same, ENV), byHand(PAYLOAD, same));
  return [
    { name: `${name}/parsed`, run: times(EVALUATIONS, () => evaluate(same)) },
    { name: `${name}/whole`, run: times(EVALUATIONS, () => evaluate(newMessage())) },
    {
      name: `${name}/hand`,
      run: times(EVALUATIONS, (turn) => {
        const isInFrom = same.topic.startsWith('dt/');
        const value = isInFrom ? byHand(EQUAL[turn % EQUAL.length] ?? PAYLOAD, same) : undefined;
        return value === undefined ? 1 : Buffer.from(JSON.stringify(value)).length;
      }),
    },
  ];
}

function checkSame(
  sql: string,
  outcome: ReturnType<ReturnType<typeof compileRule>['evaluate']>,
  value: unknown,
): void {
  const made = outcome.matched ? Buffer.from(outcome.payload).toString() : undefined;
  const wanted = value === undefined ? undefined : JSON.stringify(value);
  if (made !== wanted) throw new Error(`${sql}\nmakes ${made}\nby hand ${wanted}`);
}

const parsing: Contestant = {
  name: 'parsing',
  run: times(EVALUATIONS, () => Object.keys(Object(JSON.parse(BYTES.toString()))).length),
};

const microseconds = (totals: readonly number[] | undefined, count: number): number =>
  median(totals ?? []) / count;

async function statements() {
  const taken = await interleave([...TYPICAL.flatMap(contestantsFor), parsing], ROUNDS);
  const parsingUs = microseconds(taken.get('parsing'), EVALUATIONS);
  const rows = TYPICAL.map(({ name }) => {
    const of = (kind: string) => microseconds(taken.get(`${name}/${kind}`), EVALUATIONS);
    const [parsedUs, wholeUs, handUs] = [of('parsed'), of('whole'), of('hand')];
    return { name, parsedUs, handUs, ratio: parsedUs / handUs, wholeUs };
  });
  return { payloadBytes: BYTES.length, parsingUs, rows };
}

const specOf = (name: string, filter: string): TopicRuleSpec => ({
  name,
  arn: `arn:aws:iot:eu-central-1:000000000000:rule/${name}`,
  properties: {
    TopicRulePayload: {
      AwsIotSqlVersion: '2016-03-23',
      Sql: `SELECT temperature, topic(3) AS thing FROM '${filter}' WHERE humidity > 10`,
      Actions: [],
    },
  },
});

/** An engine with so many rules, of which so many see the message; the rest are about other things of the fleet. */
function engineWith(rules: number, matching: number) {
  const specs = Array.from({ length: rules }, (_, at) =>
    specOf(`r${at}`, at < matching ? TOPIC.replace('acme', '+') : `dt/acme/thing-${at}/+`),
  );
  return createRulesEngine({
    rules: specs,
    sinks: { operations: [] },
    authorize: () => ({ allowed: true, explanation: '' }),
    log: () => undefined,
    env: {
      ...ENV,
      now: () => ENV.nowMs,
      sleep: async () => undefined,
    },
  });
}

const TREES = [
  { rules: 1, matching: 1 },
  { rules: 10, matching: 1 },
  { rules: 100, matching: 1 },
  { rules: 1_000, matching: 1 },
  { rules: 1_000, matching: 10 },
  { rules: 1_000, matching: 100 },
  { rules: 1_000, matching: 1_000 },
] as const;

async function trees() {
  const contestants = TREES.map(({ rules, matching }) => {
    const engine = engineWith(rules, matching);
    return {
      name: `${rules}/${matching}`,
      async run() {
        for (let turn = 0; turn < PUBLISHED / Math.sqrt(matching); turn += 1) {
          const { protocol: _, ...message } = newMessage();
          await engine.publish({ principal: '', sourceIp: '', ...message, protocol: 'mqtt' });
        }
      },
    };
  });
  const taken = await interleave(contestants, ROUNDS);
  return TREES.map(({ rules, matching }) => {
    const messages = Math.ceil(PUBLISHED / Math.sqrt(matching));
    const messageUs = microseconds(taken.get(`${rules}/${matching}`), messages);
    return { rules, matching, messageUs, perMatchUs: messageUs / matching };
  });
}

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const report = { statements: await statements(), trees: await trees(), checksum: seen };

if (values.json) console.log(JSON.stringify(report));
else {
  const us = (value: number) => value.toFixed(2).padStart(9);
  const perSecond = (value: number) =>
    Math.round(1e6 / value)
      .toLocaleString('en')
      .padStart(11);
  const { payloadBytes, parsingUs, rows } = report.statements;
  console.log(
    `CPU of one evaluation in µs, a payload of ${payloadBytes} bytes; parsing it alone: ${parsingUs.toFixed(2)}\n`,
  );
  console.log(
    '                          by hand     rule    ratio   rules/s   with parsing  of parsing',
  );
  for (const { name, handUs, parsedUs, ratio, wholeUs } of rows) {
    console.log(
      `${name.padEnd(22)}${us(handUs)}${us(parsedUs)}${us(ratio)}${perSecond(parsedUs)}${us(wholeUs)}${us(wholeUs / parsingUs)}`,
    );
  }
  console.log('\nCPU of one message in µs, through the engine, without actions\n');
  console.log('   rules  matching  a message  a matching rule');
  for (const { rules, matching, messageUs, perMatchUs } of report.trees) {
    console.log(
      `${String(rules).padStart(8)}${String(matching).padStart(10)}${us(messageUs)}${us(perMatchUs)}`,
    );
  }
}
