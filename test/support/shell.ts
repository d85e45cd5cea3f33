import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { delimiter, dirname } from 'node:path';

export type Environment = Readonly<Record<string, string>>;

export interface Outcome {
  readonly code: number | null;
  /** What it wrote, errors among it. */
  readonly said: string;
}

interface Options {
  /** Sees all that was written so far, each time there is more. */
  readonly onOutput?: (said: string) => void;
  /** Ends what takes longer. */
  readonly patienceMs?: number;
}

/**
 * Runs scripts in a folder as a person's shell would, with nothing in the environment but what is given and the way to
 * the programs; `node` is the one that runs the tests.
 */
export const openShell =
  (folder: string) =>
  (
    script: string,
    environment: Environment,
    { onOutput = () => undefined, patienceMs = 20_000 }: Options = {},
  ) => {
    const PATH = [dirname(process.execPath), process.env['PATH']].join(delimiter);
    const child = spawn('sh', ['-eu', '-c', script], {
      cwd: folder,
      env: { PATH, ...environment },
      detached: true,
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        onOutput(said);
      });
    }
    const end = () => {
      const runs = child.exitCode === null && child.signalCode === null;
      // the shell and what it started
      if (runs && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    };
    const timer = setTimeout(end, patienceMs);
    const ended = new Promise<Outcome>((done) => {
      child.once('close', (code) => {
        clearTimeout(timer);
        done({ code, said });
      });
    });
    return { ended, end };
  };

/** Whether this machine has a program that tells its version. */
export const isThere = (program: string): boolean =>
  spawnSync(program, ['--version']).error === undefined;

/** A port of this machine that nobody listens on at the moment. */
export const freePort = (): Promise<number> =>
  new Promise((done) => {
    const server = createServer().listen(0, 'localhost', () => {
      const address = server.address();
      const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
      server.close(() => done(port));
    });
  });
