import { create, toBinary } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { expect, it } from '@jest/globals';
import { compileRule, type SqlService } from '../../../../local/core/sql/index.ts';
import { ENV, messageOf } from './support.ts';

const optional = FieldDescriptorProto_Label.OPTIONAL;

/** `message Reading { string thing = 1; int32 count = 2; double celsius = 3; int64 at_ms = 4; }` */
const DESCRIPTORS = toBinary(
  FileDescriptorSetSchema,
  create(FileDescriptorSetSchema, {
    file: [
      {
        name: 'reading.proto',
        package: 'plant',
        syntax: 'proto3',
        messageType: [
          {
            name: 'Reading',
            field: [
              {
                name: 'thing',
                jsonName: 'thing',
                number: 1,
                type: FieldDescriptorProto_Type.STRING,
                label: optional,
              },
              {
                name: 'count',
                jsonName: 'count',
                number: 2,
                type: FieldDescriptorProto_Type.INT32,
                label: optional,
              },
              {
                name: 'celsius',
                jsonName: 'celsius',
                number: 3,
                type: FieldDescriptorProto_Type.DOUBLE,
                label: optional,
              },
              {
                name: 'at_ms',
                jsonName: 'atMs',
                number: 4,
                type: FieldDescriptorProto_Type.INT64,
                label: optional,
              },
            ],
          },
        ],
      },
    ],
  }),
);

/** thing "p7", count 150, celsius 21.5, at_ms 1 */
const READING = Buffer.from('0a0270371096011900000000008035402001', 'hex');
const DECODED = { thing: 'p7', count: 150, celsius: 21.5, atMs: '1' };

const decode = async (
  value: string,
  type: string,
  payload: unknown,
  answer: unknown = DESCRIPTORS,
) => {
  const asked: unknown[] = [];
  const decode_proto: SqlService = (args) => {
    asked.push(args);
    return Promise.resolve(answer);
  };
  const rule = compileRule(
    `SELECT VALUE decode(${value}, 'proto', 'schemas', 'reading.desc', 'reading.proto', '${type}') FROM 'dt/#'`,
    { services: ['decode_proto'] },
  );
  const outcome = await rule.evaluateAsync(messageOf(payload), {
    ...ENV,
    services: { decode_proto },
  });
  return { value: outcome.matched ? outcome.value : outcome.why, asked };
};

it('decodes a payload by the descriptor set it asks for', async () => {
  expect(await decode('*', 'Reading', READING)).toEqual({
    value: DECODED,
    asked: [['schemas', 'reading.desc']],
  });
});

it('decodes what a field carries in base64, by the name with its package', async () => {
  const payload = { frame: READING.toString('base64') };
  const { value } = await decode("decode(frame, 'base64')", 'plant.Reading', payload);
  expect(value).toEqual(DECODED);
});

it.each([
  ['a message the file does not have', 'Other', READING, DESCRIPTORS],
  ['bytes that are no such message', 'Reading', Buffer.from('ff'), DESCRIPTORS],
  ['a descriptor set that is none', 'Reading', READING, Buffer.from('no')],
  ['no descriptor set', 'Reading', READING, null],
])('gives Null for %s', async (_name, type, payload, descriptors) => {
  const { value } = await decode('*', type, payload, descriptors);
  expect(value).toBeNull();
});

it('gives Undefined for a field that is none', async () => {
  expect((await decode("decode(frame, 'base64')", 'Reading', {})).value).toBeUndefined();
});
