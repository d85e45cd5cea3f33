import {
  createFileRegistry,
  type FileRegistry,
  fromBinary,
  toJsonString,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { parseJson } from './json.ts';
import type { SqlValue } from './values.ts';

const registries = new WeakMap<Uint8Array, FileRegistry>();

/**
 * A protobuf message as JSON, in protobuf's own JSON mapping: fields under their lowerCamelCase
 * names, 64-bit integers as Strings.
 *
 * @param descriptors  a FileDescriptorSet, as `protoc --descriptor_set_out` writes it
 * @param file         the .proto file that defines the message
 * @param type         the message's name, with or without its package
 * @returns            Null for bytes or descriptors that do not fit
 */
export function decodeMessage(
  bytes: Uint8Array,
  descriptors: Uint8Array,
  file: string,
  type: string,
): SqlValue {
  try {
    const registry = registryOf(descriptors);
    const name = file.replace(/\.proto$/, '');
    const message = [...registry.files]
      .find((known) => known.name === name)
      ?.messages.find((known) => known.typeName === type || known.name === type);
    if (message === undefined) return null;
    const json = parseJson(toJsonString(message, fromBinary(message, bytes), { registry }));
    return json.ok ? json.value : null;
  } catch {
    return null;
  }
}

function registryOf(descriptors: Uint8Array): FileRegistry {
  const known = registries.get(descriptors);
  if (known !== undefined) return known;
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
  registries.set(descriptors, registry);
  return registry;
}
