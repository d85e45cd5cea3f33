import { join } from 'node:path';
import { RegistryFile } from '../core/registry/index.ts';
import { createStateWriter, readState, type StateWriter } from './state-file.ts';

const pathIn = (directory: string): string => join(directory, 'registry.json');

/**
 * @returns undefined where there is no file yet
 * @throws {StateFileError}
 */
export const readRegistry = (directory: string): RegistryFile | undefined =>
  readState({ path: pathIn(directory), what: 'a device registry', schema: RegistryFile });

export const createRegistryWriter = (directory: string, content: () => RegistryFile): StateWriter =>
  createStateWriter(pathIn(directory), content);
