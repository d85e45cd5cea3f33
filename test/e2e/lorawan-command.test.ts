import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { copyOfProject } from '../support/project-copy.ts';

/** Away from the ports that somebody may be using here. */
const OFFSET = '23000';

const METER = `
function decodeUplink({ bytes }) {
  return { data: { temperature: bytes[0] } };
}
function encodeDownlink({ data: { interval } }) {
  if (!(interval >= 1)) return { errors: ['at least a second'] };
  return { fPort: 85, bytes: [0x10, interval & 255, interval >> 8], warnings: ['restarts'] };
}
function decodeDownlink({ bytes }) {
  return { data: { interval: bytes[1] | (bytes[2] << 8) } };
}`;
const VECTORS = [{ input: { bytes: '15', fPort: 2 }, output: { data: { temperature: 21 } } }];

let project: ReturnType<typeof copyOfProject>;
beforeAll(() => {
  project = copyOfProject();
});
afterAll(() => project.remove());

describe('npm run lorawan', () => {
  it('adds, lists and sends beside npm start, whose own devices are heard, and watched', async () => {
    const laptop = project.start('start', '--fault', 'spike:sensor-1@2s', '--port-offset', OFFSET);
    await laptop.says(/LoRaWAN wss:\/\/localhost:31887 /);
    await laptop.says(/Ctrl-C ends it/);
    writeFileSync(join(project.folder, 'meter.js'), METER);
    writeFileSync(join(project.folder, 'meter.vectors.json'), JSON.stringify(VECTORS));
    expect((await project.run('codec', 'put', 'meter.js')).out).toContain('version 1 is active');
    const belongs = ['--codec', 'meter', '--fleet', 'city'];
    const added = await project.run('lorawan', 'add', 'device', 'meter-1', ...belongs, '--json');
    expect(JSON.parse(added.out)).toMatchObject({
      name: 'meter-1',
      thing: 'meter-1',
      devEui: expect.stringMatching(/^02/),
    });
    const wrong = await project.run('lorawan', 'downlink', 'meter-1', '{"interval": 0}');
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('at least a second') });
    const queued = await project.run('lorawan', 'downlink', 'meter-1', '{"interval": 600}');
    expect(queued.out).toContain('warning: restarts');
    expect(queued.out).toContain('meter@1 makes 105802 of it, for port 85');
    await project.run('lorawan', 'downlink', 'meter-1', 'c0de', '--fport', '7');
    const sent = await project.run('lorawan', 'send', 'meter-1', '15', '--json');
    expect(JSON.parse(sent.out)).toMatchObject({
      name: 'meter-1',
      received: { fPort: 85, payload: '105802' },
    });
    const again = await project.run('lorawan', 'send', 'meter-1', '16', '--json');
    expect(JSON.parse(again.out)).toMatchObject({ received: { fPort: 7, payload: 'c0de' } });
    const listed = await project.run('lorawan', 'list');
    expect(listed.out).toMatch(/gateway {2}demo-gateway/);
    expect(listed.out).toMatch(/device {3}meter-1/);
    await laptop.says(/ stored:.* lorawan \d/);
    await laptop.says(
      /ANOMALY +temperature of sensor-1 reads .*\n.*npm run anomalies -- show sensor-1/,
    );
    const stored = await project.run('readings', 'meter-1', '--json');
    expect(stored.out).toContain('"temperature":21');
    const gateway = await project.run('lorawan', 'add', 'gateway', 'roof', '--json');
    const folder = join(project.folder, JSON.parse(gateway.out).folder);
    expect(readdirSync(folder).sort()).toEqual(['tc.crt', 'tc.key', 'tc.trust', 'tc.uri']);
    expect(readFileSync(join(folder, 'tc.uri'), 'utf8')).toBe('wss://localhost:31887');
    laptop.interrupt();
    expect(await laptop.ended).toMatchObject({ code: 0 });
  });
});
