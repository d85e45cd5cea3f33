import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { copyOfSources } from './template.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const BESIDE_SOURCES = ['commands', 'events', 'local'];

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  /** Resolves with the match once the output shows it. */
  readonly says: (pattern: RegExp) => Promise<RegExpExecArray>;
  readonly interrupt: () => void;
  /** Ends it at once, wherever it is. */
  readonly kill: () => void;
  readonly ended: Promise<Ended>;
}

/** The project in a folder of its own, for tests that type its commands as a person would. */
export function copyOfProject() {
  const folder = copyOfSources();
  for (const name of BESIDE_SOURCES)
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  const children = new Set<ChildProcess>();

  const start = (...args: string[]): Running => {
    const child = spawn(process.execPath, ['commands/main.js', ...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder },
    });
    children.add(child);
    let [out, err] = ['', ''];
    const listeners = new Set<() => void>();
    const told = () => {
      for (const listener of listeners) listener();
    };
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      told();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
      told();
    });
    const ended = new Promise<Ended>((done) => {
      child.once('close', (code) => {
        children.delete(child);
        done({ code, out, err });
      });
    });
    const says = (pattern: RegExp) =>
      new Promise<RegExpExecArray>((found, failed) => {
        const look = () => {
          const match = pattern.exec(out);
          if (match === null) return;
          listeners.delete(look);
          found(match);
        };
        listeners.add(look);
        void ended.then(() =>
          failed(new Error(`It ended without saying ${pattern}:\n${out}${err}`)),
        );
        look();
      });
    return {
      says,
      ended,
      interrupt: () => void child.kill('SIGINT'),
      kill: () => void child.kill('SIGKILL'),
    };
  };

  return {
    folder,
    start,
    run: (...args: string[]): Promise<Ended> => start(...args).ended,
    remove: async () => {
      for (const child of children) child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
