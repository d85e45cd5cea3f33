import { expect, it } from '@jest/globals';
import { main } from '../../commands/main.ts';

it.each([
  { args: ['paint'], says: 'add, list, send, downlink, events' },
  { args: ['add', 'thing', 'x'], says: 'a device or a gateway' },
  { args: ['add', 'device', 'a b'], says: 'a name has 1 to 64' },
  { args: ['add', 'device', 'a', '--eui', '12'], says: '--eui has 16' },
  { args: ['add', 'device', 'a', '--codec', 'json'], says: 'Name it with --fleet' },
  { args: ['send', 'a', 'xyz'], says: 'hexadecimal digits' },
  { args: ['send', 'a', '00', '--fport', '0'], says: '--fport wants' },
  { args: ['send', 'a', '--data', '[1]'], says: 'is a JSON object' },
  { args: ['downlink', 'a', '{"interval"'], says: 'no JSON' },
  { args: ['list', '--rf-region', 'Mars'], says: 'EU868 or US915' },
])('npm run lorawan -- $args is called wrongly and exits 2', async ({ args, says }) => {
  let err = '';
  const terminal = {
    out: () => undefined,
    err: (text: string) => {
      err += text;
    },
  };
  expect(await main(['lorawan', ...args], terminal)).toBe(2);
  expect(err).toContain(says);
});
