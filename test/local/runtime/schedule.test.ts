import { describe, expect, it } from '@jest/globals';
import type { LogEntry } from '../../../local/core/log.ts';
import { createScheduler, declaredSchedule } from '../../../local/runtime/schedule.ts';
import { virtualClock } from './virtual-clock.ts';

const RULE = 'arn:aws:events:eu-central-1:000000000000:rule/tick';
const FUNCTION = 'arn:aws:lambda:eu-central-1:000000000000:function:detect';

function setup(expression: string, changes: object = {}) {
  const clock = virtualClock(Date.parse('2026-01-01T00:00:10Z'));
  const fired: { at: string; functionArn: string; event: unknown }[] = [];
  const log: LogEntry[] = [];
  const rule = {
    arn: RULE,
    expression,
    enabled: true,
    targets: [{ functionArn: FUNCTION }],
    ...changes,
  };
  const scheduler = createScheduler([rule], {
    now: clock.now,
    sleep: clock.sleep,
    invokeAsync: (functionArn, event) => {
      if (functionArn === 'broken') throw new Error('no such function');
      fired.push({ at: new Date(clock.now()).toISOString(), functionArn, event });
    },
    uuid: () => 'id-1',
    log: (entry) => log.push(entry),
  });
  return { clock, fired, log, scheduler };
}

describe('a scheduled rule', () => {
  it('fires with the event of EventBridge', async () => {
    const { clock, fired, scheduler } = setup('rate(1 minute)');
    scheduler.start();
    await clock.pass(60_000);
    expect(fired).toEqual([
      {
        at: '2026-01-01T00:01:10.000Z',
        functionArn: FUNCTION,
        event: {
          version: '0',
          id: 'id-1',
          'detail-type': 'Scheduled Event',
          source: 'aws.events',
          account: '000000000000',
          time: '2026-01-01T00:01:10Z',
          region: 'eu-central-1',
          resources: [RULE],
          detail: {},
        },
      },
    ]);
  });

  it.each([
    { expression: 'rate(5 minutes)', hours: 1, times: 12 },
    { expression: 'cron(0 12 * * ? *)', hours: 24 * 3, times: 3 },
    { expression: 'cron(0 0 1 * ? *)', hours: 24 * 60, times: 2 },
  ])('$expression fires $times times in $hours hours', async ({ expression, hours, times }) => {
    const { clock, fired, scheduler } = setup(expression);
    scheduler.start();
    await clock.pass(hours * 3_600_000);
    expect(fired).toHaveLength(times);
  });

  it('passes its constant input instead of the event', async () => {
    const { clock, fired, scheduler } = setup('rate(1 minute)', {
      targets: [{ functionArn: FUNCTION, input: { a: 1 } }],
    });
    scheduler.start();
    await clock.pass(60_000);
    expect(fired).toMatchObject([{ event: { a: 1 } }]);
  });

  it('goes on when one target cannot be invoked', async () => {
    const { clock, fired, log, scheduler } = setup('rate(1 minute)', {
      targets: [{ functionArn: 'broken' }, { functionArn: FUNCTION }],
    });
    scheduler.start();
    await clock.pass(120_000);
    expect(fired).toHaveLength(2);
    expect(log).toMatchObject([{ level: 'error' }, { level: 'error' }]);
  });

  it('is silent when disabled, and after it was stopped', async () => {
    const disabled = setup('rate(1 minute)', { enabled: false });
    disabled.scheduler.start();
    await disabled.clock.pass(600_000);
    const stopped = setup('rate(1 minute)');
    stopped.scheduler.start();
    await stopped.scheduler.stop();
    await stopped.clock.pass(600_000);
    expect([...disabled.fired, ...stopped.fired]).toEqual([]);
  });
});

describe('a declared schedule', () => {
  const resource = (properties: Record<string, unknown>) => ({
    logicalId: 'Tick',
    type: 'AWS::Events::Rule',
    name: 'tick',
    physicalId: 'tick',
    arn: RULE,
    attributes: {},
    properties,
  });
  const target = { Id: 'a', Arn: FUNCTION };

  it('is read from its resource', () => {
    const properties = {
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Targets: [{ ...target, Input: '{"a":1}' }],
    };
    expect(declaredSchedule(resource(properties))).toEqual({
      arn: RULE,
      expression: 'rate(1 minute)',
      enabled: true,
      targets: [{ functionArn: FUNCTION, input: { a: 1 } }],
    });
  });

  it.each([
    { properties: { ScheduleExpression: 'rate(1 minutes)' }, says: 'rate(1 minutes)' },
    {
      properties: { ScheduleExpression: 'rate(1 minute)', EventPattern: {} },
      says: 'EventPattern',
    },
    {
      properties: {
        ScheduleExpression: 'rate(1 minute)',
        Targets: [{ ...target, InputTransformer: {} }],
      },
      says: 'InputTransformer',
    },
    {
      properties: { ScheduleExpression: 'rate(1 minute)', Targets: [{ ...target, Input: '{' }] },
      says: 'Input is no JSON',
    },
    {
      properties: {
        ScheduleExpression: 'rate(1 minute)',
        Targets: [{ Id: 'a', Arn: 'arn:aws:sqs:eu-central-1:000000000000:q' }],
      },
      says: 'only functions',
    },
  ])('of $properties is refused', ({ properties, says }) => {
    expect(() => declaredSchedule(resource(properties))).toThrow(says);
  });
});
