import type { Call, Expression } from '../ast.ts';
import { toText } from '../convert.ts';
import { parseJson, textOf } from '../json.ts';
import { decodeMessage } from '../protobuf.ts';
import type { Evaluate, Scope } from '../scope.ts';
import type { SqlValue } from '../values.ts';
import { type CompileTools, type FunctionTable, literalText, special } from './function.ts';

type Bytes = (scope: Scope) => Uint8Array | undefined;

/** The standard alphabet; padding may be missing, as Java's decoder has it. */
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function bytesOfBase64(text: string): Uint8Array | undefined {
  if (!BASE64.test(text)) return undefined;
  const size = text.replace(/=+$/, '').length;
  const padded = text.length > size;
  return size % 4 === 1 || (padded && text.length % 4 !== 0)
    ? undefined
    : Buffer.from(text, 'base64');
}

/** The JSON value where the text is JSON, scalars included; any other text as a String. */
function decoded(value: SqlValue): SqlValue {
  if (value === undefined) return undefined;
  const bytes = bytesOfBase64(toText(value) ?? '%');
  const text = bytes === undefined ? undefined : textOf(bytes);
  // Null, as decode's own text says of what cannot be decoded; functions in general give Undefined
  if (text === undefined) return null;
  const json = parseJson(text);
  return json.ok ? json.value : text;
}

function checkScheme(call: Call, tools: CompileTools, known: readonly string[]): string {
  const scheme = call.args[1];
  const text = literalText(scheme);
  if (text !== undefined && known.includes(text)) return text;
  tools.refuse(scheme ?? call, known.map((name) => `'${name}'`).join(' or '));
}

/** The bytes an expression stands for where a function takes binary: `*` is the payload as it came. */
function binary(expression: Expression, tools: CompileTools): Bytes {
  if (expression.kind === 'star') {
    return (scope) =>
      scope.isPayload ? scope.evaluation.message.payload : textBytes(scope.element);
  }
  const inner = expression.kind === 'call' && expression.name === 'decode' ? expression : undefined;
  if (inner?.args[0] !== undefined && literalText(inner.args[1]) === 'base64') {
    const text = tools.compile(inner.args[0]);
    return (scope) => bytesOfBase64(toText(text(scope)) ?? '%');
  }
  const evaluate = tools.compile(expression);
  return (scope) => textBytes(evaluate(scope));
}

function textBytes(value: SqlValue): Uint8Array | undefined {
  const text = toText(value);
  return text === undefined ? undefined : Buffer.from(text);
}

function compileEncode(call: Call, tools: CompileTools): Evaluate {
  checkScheme(call, tools, ['base64']);
  const [value] = call.args;
  if (value === undefined) return () => undefined;
  const bytesOf = value.kind === 'star' ? binary(value, tools) : textBytesOf(value, tools);
  return (scope) => {
    const bytes = bytesOf(scope);
    if (bytes === undefined) return undefined;
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  };
}

const textBytesOf = (value: Expression, tools: CompileTools): Bytes => {
  const evaluate = tools.compile(value);
  return (scope) => textBytes(evaluate(scope));
};

const PROTOBUF_ARITY = 6;
/** The service that reads a descriptor set from S3, by bucket and key. */
export const DESCRIPTOR_SERVICE = 'decode_proto';

function compileDecode(call: Call, tools: CompileTools): Evaluate {
  const scheme = checkScheme(call, tools, ['base64', 'proto']);
  const wanted = scheme === 'proto' ? PROTOBUF_ARITY : 2;
  if (call.args.length !== wanted) {
    tools.refuse(call, `${wanted} arguments of decode(…, '${scheme}', …)`);
  }
  const [value] = call.args;
  if (value === undefined) return () => undefined;
  if (scheme === 'proto') return compileProtobuf(call, binary(value, tools), tools);
  const evaluate = tools.compile(value);
  return (scope) => decoded(evaluate(scope));
}

/** decode(bytes, 'proto', bucket, key of the descriptor set, file, message). */
function compileProtobuf(call: Call, bytesOf: Bytes, tools: CompileTools): Evaluate {
  const settings = call.args.slice(2).map((setting) => {
    const text = literalText(setting);
    return text ?? tools.refuse(setting, 'a string in quotes');
  });
  const [bucket = '', key = '', file = '', type = ''] = settings;
  const site = tools.external(call, DESCRIPTOR_SERVICE, "decode(…, 'proto', …)");
  return (scope) => {
    const bytes = bytesOf(scope);
    if (bytes === undefined) return undefined;
    const answer = scope.evaluation.calls.answer(site, DESCRIPTOR_SERVICE, [bucket, key]);
    return answer instanceof Uint8Array ? decodeMessage(bytes, answer, file, type) : null;
  };
}

export const ENCODING: FunctionTable = {
  decode: special(2, PROTOBUF_ARITY, compileDecode),
  encode: special(2, 2, compileEncode),
};
