import { join } from 'node:path';
import type { ResolvedStack } from '../core/template/index.ts';
import {
  type AsyncSettings,
  DEFAULT_ASYNC_SETTINGS,
  declaredAsyncSettings,
} from '../runtime/lambda-async-settings.ts';
import { type DeclaredFunction, declaredFunction } from '../runtime/lambda-function.ts';
import { extractPackage } from '../runtime/lambda-package.ts';
import { collectProblems, ofType } from './resources.ts';

export interface DeclaredFunctions {
  readonly functions: readonly DeclaredFunction[];
  readonly asyncSettings: ReadonlyMap<string, AsyncSettings>;
}

/**
 * The template's functions and what it says of their asynchronous invocation.
 *
 * @param codeDirectory  where packages are unpacked, a folder each
 * @throws {BootError} naming everything that is wrong or not supported
 */
export function readFunctions(stack: ResolvedStack, codeDirectory: string): DeclaredFunctions {
  const folderOf = (artifact: string) => join(codeDirectory, artifact.replace(/\.zip$/, ''));
  return collectProblems(() => {
    const functions = ofType(stack, 'AWS::Lambda::Function').map((resource) =>
      declaredFunction(resource, folderOf),
    );
    const asyncSettings = new Map<string, AsyncSettings>();
    for (const { spec, deadLetterArn } of functions) {
      if (deadLetterArn !== undefined)
        asyncSettings.set(spec.name, { ...DEFAULT_ASYNC_SETTINGS, deadLetterArn });
    }
    for (const resource of ofType(stack, 'AWS::Lambda::EventInvokeConfig')) {
      const { functionName, settings } = declaredAsyncSettings(resource);
      asyncSettings.set(functionName, { ...asyncSettings.get(functionName), ...settings });
    }
    return { functions, asyncSettings };
  });
}

/** Unpacks each package that `sls package` left beside the template. */
export async function unpackFunctions(
  functions: readonly DeclaredFunction[],
  packageDirectory: string,
): Promise<void> {
  const codeOf = new Map(functions.map(({ artifact, spec }) => [artifact, spec.codeDirectory]));
  await Promise.all(
    [...codeOf].map(([artifact, folder]) =>
      extractPackage(join(packageDirectory, artifact), folder),
    ),
  );
}
