import { describe, expect, it } from '@jest/globals';
import {
  type CompiledRule,
  compileRule,
  compileTemplate,
  EXTERNAL_FUNCTIONS,
  ExternalCallError,
  type SqlService,
  type SqlValue,
} from '../../../../local/core/sql/index.ts';
import { ENV, messageOf } from './support.ts';

const compile = (sql: string): CompiledRule => compileRule(sql, { services: EXTERNAL_FUNCTIONS });

/** A service that notes what it was asked. */
const service = (answer: (args: readonly SqlValue[]) => unknown) => {
  const asked: (readonly SqlValue[])[] = [];
  const call: SqlService = (args) => {
    asked.push(args);
    return Promise.resolve(args).then(answer);
  };
  return { asked, call };
};

const run = async (
  sql: string,
  services: Readonly<Record<string, SqlService>>,
  payload: unknown = {},
) => {
  const outcome = await compile(sql).evaluateAsync(messageOf(payload), { ...ENV, services });
  return outcome.matched ? JSON.parse(Buffer.from(outcome.payload).toString()) : outcome.why;
};

describe('a function that calls a service', () => {
  it('gets its evaluated arguments and gives what the service answers', async () => {
    const table = service(() => ({ location: 'hall 3' }));
    const sql =
      "SELECT *, get_dynamodb('devices', 'id', id, 'arn:role').location AS location FROM 'dt/#'";
    expect(await run(sql, { get_dynamodb: table.call }, { id: 'p7' })).toEqual({
      id: 'p7',
      location: 'hall 3',
    });
    expect(table.asked).toEqual([['devices', 'id', 'p7', 'arn:role']]);
  });

  it('is asked once for each place and set of arguments, and the message keeps its time and ids', async () => {
    let drawn = 0;
    const lambda = service(([, input]) => input);
    const sql =
      "SELECT newuuid() AS id, rand() AS r, (SELECT VALUE aws_lambda('arn', n) FROM list) AS l, newuuid() AS other FROM 'dt/#'";
    const env = {
      ...ENV,
      uuid: () => `id-${++drawn}`,
      services: { aws_lambda: lambda.call },
    };
    const outcome = await compile(sql).evaluateAsync(
      messageOf({ list: [{ n: 1 }, { n: 2 }, { n: 1 }] }),
      env,
    );
    expect(outcome).toMatchObject({ value: { id: 'id-1', l: [1, 2, 1], other: 'id-2' } });
    expect(lambda.asked).toHaveLength(2);
  });

  it('can decide in WHERE, and is not asked for a SELECT that does not run', async () => {
    const shadow = service(() => ({ state: { reported: { alarm: 'OFF' } } }));
    const lambda = service(() => 1);
    const sql =
      "SELECT aws_lambda('arn', *) AS l FROM 'dt/#' WHERE get_thing_shadow('pump', 'role').state.reported.alarm = 'ON'";
    const why = await run(sql, { get_thing_shadow: shadow.call, aws_lambda: lambda.call });
    expect(why).toContain('was false');
    expect(lambda.asked).toEqual([]);
  });

  it('that fails ends the rule, naming the function', async () => {
    const failing = service(() => {
      throw new Error('throttled');
    });
    const running = run("SELECT aws_lambda('arn', *) AS a FROM 'dt/#'", {
      aws_lambda: failing.call,
    });
    await expect(running).rejects.toThrow(ExternalCallError);
    await expect(running).rejects.toThrow('aws_lambda failed: throttled');
  });

  it('that fails inside get_or_default gives the default', async () => {
    const failing = service(() => {
      throw new Error('throttled');
    });
    const sql =
      "SELECT get_or_default(get_secret('s', 'SecretString', 'role'), 'none') AS a FROM 'dt/#'";
    expect(await run(sql, { get_secret: failing.call })).toEqual({ a: 'none' });
  });

  it('fails where the environment has no such service', async () => {
    const running = run("SELECT aws_lambda('arn', *) AS a FROM 'dt/#'", {});
    await expect(running).rejects.toThrow('no such service was given');
  });

  it('cannot be evaluated without waiting', () => {
    const rule = compile("SELECT aws_lambda('arn', *) AS a FROM 'dt/#'");
    expect(rule.services).toEqual(['aws_lambda']);
    expect(() => rule.evaluate(messageOf({}), ENV)).toThrow('evaluateAsync');
  });

  it('works in a template', async () => {
    const registry = service(() => ({ attributes: { site: 'north' } }));
    const template = compileTemplate(
      '$' + "{get_registry_data('DescribeThing', topic(3), 'role').attributes.site}/x",
      { services: ['get_registry_data'] },
    );
    const env = { ...ENV, services: { get_registry_data: registry.call } };
    expect(await template.evaluateAsync(messageOf({}), env)).toBe('north/x');
    expect(registry.asked).toEqual([['DescribeThing', 'pump-7', 'role']]);
  });

  it('turns what is no JSON into nothing', async () => {
    const odd = service(() => ({
      big: 2n ** 60n,
      nan: Number.NaN,
      call: () => 1,
      list: [() => 1],
    }));
    const sql = "SELECT aws_lambda('arn', *) AS a FROM 'dt/#'";
    expect(await run(sql, { aws_lambda: odd.call })).toEqual({
      a: { big: 2 ** 60, list: [null] },
    });
  });

  it.each([
    ["SELECT get_dynamodb('t', 'k', 1, 's', 'role') AS a", '4 or 6 arguments of get_dynamodb'],
    ["SELECT get_dynamodb('t', 'k', 1, role) AS a", 'the ARN of a role in quotes'],
    ["SELECT get_secret('s', 'Secret', 'role') AS a", "'SecretString' or 'SecretBinary'"],
    [
      "SELECT get_registry_data('ListThings', 't', 'role') AS a",
      "'DescribeThing' or 'ListThingGroupsForThing'",
    ],
    [
      "SELECT get_dynamodb('t', 'k', 1, 'r') AS a, get_dynamodb('t', 'k', 2, 'r') AS b",
      'at most 1 of get_dynamodb in a statement',
    ],
    ["SELECT get_or_default(a, aws_lambda('arn', *)) AS b", 'a default that calls no service'],
  ])('%s is refused', (sql, expected) => {
    expect(() => compile(sql)).toThrow(expect.objectContaining({ expected }));
  });
});
