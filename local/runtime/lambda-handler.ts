import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RuntimeError } from './lambda-error.ts';

export type Handler = (event: unknown, context: object) => unknown;

/** The order in which the managed Node.js runtime looks for a handler's file. */
const EXTENSIONS = ['', '.js', '.mjs', '.cjs'];

/**
 * Loads the function named `folder/file.export` from an unpacked package.
 *
 * @throws {RuntimeError} under the runtime's names: `Runtime.ImportModuleError`, `Runtime.HandlerNotFound`,
 *   `Runtime.MalformedHandlerName`, `Runtime.UserCodeSyntaxError`, `Runtime.CallbackHandlerDeprecated`
 * @see Lambda Developer Guide, "Define Lambda function handler in Node.js"
 */
export async function loadHandler(taskRoot: string, name: string): Promise<Handler> {
  const [path, exported] = splitName(name);
  const file = EXTENSIONS.map((extension) => join(taskRoot, path + extension)).find(isFile);
  if (file === undefined) {
    throw new RuntimeError('Runtime.ImportModuleError', `Error: Cannot find module '${path}'`);
  }
  const module = await load(file);
  return checkHandler(pick(module, exported), name);
}

const isFile = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

function splitName(name: string): [path: string, exported: string] {
  const file = basename(name);
  const dot = file.indexOf('.');
  if (name.includes('..') || dot < 1 || dot === file.length - 1) {
    throw new RuntimeError('Runtime.MalformedHandlerName', `'${name}' is not file.export`);
  }
  return [join(dirname(name), file.slice(0, dot)), file.slice(dot + 1)];
}

async function load(file: string): Promise<unknown> {
  try {
    return file.endsWith('.mjs')
      ? await import(pathToFileURL(file).href)
      : await requireOrImport(file);
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new RuntimeError('Runtime.UserCodeSyntaxError', String(error), error);
    }
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND') {
      throw new RuntimeError('Runtime.ImportModuleError', String(error), error);
    }
    throw error;
  }
}

/** `require` loads ES modules too, but for those that await something before they are ready. */
async function requireOrImport(file: string): Promise<unknown> {
  try {
    return createRequire(file)(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
    return await import(pathToFileURL(file).href);
  }
}

const pick = (module: unknown, exported: string): unknown =>
  exported.split('.').reduce<unknown>((from, key) => Object(from)[key], module);

function checkHandler(handler: unknown, name: string): Handler {
  if (typeof handler !== 'function') {
    const what = handler === undefined ? 'undefined or not exported' : 'not a function';
    throw new RuntimeError('Runtime.HandlerNotFound', `${name} is ${what}`);
  }
  if (handler.length > 2) {
    throw new RuntimeError(
      'Runtime.CallbackHandlerDeprecated',
      `${name} takes a callback, which the runtime dropped with Node.js 24: return a promise instead`,
    );
  }
  return (event, context) => Reflect.apply(handler, undefined, [event, context]);
}
