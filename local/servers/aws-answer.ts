import { type AwsError, HttpAnswer } from '../operations/operation.ts';
import { xmlAnswer, xmlError } from './aws-query.ts';
import type { HttpResponse } from './aws-request.ts';
import type { Protocol } from './aws-routes.ts';

const JSON_TYPE = 'application/json';
const XML_TYPE = 'text/xml';

/** An operation's output in the words of its protocol. */
export function outputAnswer(protocol: Protocol, output: unknown, requestId: string): HttpAnswer {
  if (output instanceof HttpAnswer) return output;
  if (protocol.kind === 'query') {
    const body = xmlAnswer(protocol.action, protocol.xmlNamespace, output, requestId);
    return new HttpAnswer(200, { 'content-type': XML_TYPE }, body);
  }
  const contentType = protocol.kind === 'json' ? protocol.contentType : JSON_TYPE;
  const body = output === undefined ? '' : JSON.stringify(output);
  return new HttpAnswer(200, { 'content-type': contentType }, body);
}

/** An error in the words of its protocol. */
export function errorAnswer(protocol: Protocol, error: AwsError, requestId: string): HttpAnswer {
  const { code, message, statusCode, extras } = error;
  if (protocol.kind === 'query') {
    const body = xmlError(code, message, statusCode, requestId);
    return new HttpAnswer(statusCode, { 'content-type': XML_TYPE }, body);
  }
  const headers = {
    'content-type': protocol.kind === 'json' ? protocol.contentType : JSON_TYPE,
    'x-amzn-errortype': code,
    ...(extras.queryCode !== undefined && {
      'x-amzn-query-error': `${extras.queryCode};${statusCode < 500 ? 'Sender' : 'Receiver'}`,
    }),
  };
  const body = JSON.stringify({ __type: code, message, ...extras.members });
  return new HttpAnswer(statusCode, headers, body);
}

export function sendAnswer(response: HttpResponse, answer: HttpAnswer): void {
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  response.setHeader('content-length', body.length);
  response.end(body);
}

/** Breaks the connection (HTTP/1.1) or the stream (HTTP/2) instead of an answer. */
export function breakOff(response: HttpResponse): void {
  if ('stream' in response) response.stream.destroy();
  else response.destroy();
}
