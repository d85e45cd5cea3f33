import type { SqlEnvironment, SqlMessage } from '../../../../local/core/sql/index.ts';

/** A message with a JSON payload, unless text or bytes are given. */
export const messageOf = (
  payload: unknown,
  rest: Partial<Omit<SqlMessage, 'payload'>> = {},
): SqlMessage => ({
  topic: 'dt/green/pump-7/telemetry',
  protocol: 'mqtt',
  ...rest,
  payload: payload instanceof Uint8Array ? payload : Buffer.from(JSON.stringify(payload)),
});

export const ENV: SqlEnvironment = {
  nowMs: 1_750_000_000_123,
  accountId: '000000000000',
  region: 'eu-central-1',
  random: () => 0.25,
  uuid: () => '2c5ea4c0-4067-41e9-8bad-9b1deb4d3b7d',
};
