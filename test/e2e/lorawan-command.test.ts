import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { copyOfProject } from '../support/project-copy.ts';

/** Away from the ports that somebody may be using here. */
const OFFSET = '23000';

let project: ReturnType<typeof copyOfProject>;
beforeAll(() => {
  project = copyOfProject();
});
afterAll(() => project.remove());

describe('npm run lorawan', () => {
  it.each([
    { args: ['paint'], says: 'add, list, send, downlink' },
    { args: ['add', 'thing', 'x'], says: 'a device or a gateway' },
    { args: ['add', 'device', 'a b'], says: 'a name has 1 to 64' },
    { args: ['add', 'device', 'a', '--eui', '12'], says: '--eui has 16' },
    { args: ['send', 'a', 'xyz'], says: 'hexadecimal digits' },
    { args: ['send', 'a', '00', '--fport', '0'], says: '--fport wants' },
    { args: ['list', '--region', 'Mars'], says: 'EU868 or US915' },
  ])('$args is called wrongly and exits 2', async ({ args, says }) => {
    const { code, err } = await project.run('lorawan', ...args);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(says) });
  });

  it('adds, lists and sends beside npm start, whose own devices are heard', async () => {
    const laptop = project.start('start', '--port-offset', OFFSET);
    await laptop.says(/LoRaWAN wss:\/\/localhost:31887 /);
    await laptop.says(/Ctrl-C ends it/);
    const added = await project.run('lorawan', 'add', 'device', 'meter-1', '--json');
    expect(JSON.parse(added.out)).toMatchObject({
      name: 'meter-1',
      devEui: expect.stringMatching(/^02/),
    });
    const queued = await project.run('lorawan', 'downlink', 'meter-1', 'c0de', '--fport', '7');
    expect(queued.out).toContain('goes out after the next uplink of meter-1');
    const sent = await project.run('lorawan', 'send', 'meter-1', '016700d7', '--json');
    expect(JSON.parse(sent.out)).toMatchObject({
      name: 'meter-1',
      received: { fPort: 7, payload: 'c0de' },
    });
    const listed = await project.run('lorawan', 'list');
    expect(listed.out).toMatch(/gateway {2}demo-gateway/);
    expect(listed.out).toMatch(/device {3}meter-1/);
    await laptop.says(/readings stored:.* lorawan \d/);
    laptop.interrupt();
    expect(await laptop.ended).toMatchObject({ code: 0 });
  }, 120_000);
});
