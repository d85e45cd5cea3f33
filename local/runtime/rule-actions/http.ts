import * as z from 'zod';
import { ActionError, type ActionKind, type PostRequest, type Turn } from './action.ts';

const Declaration = z.strictObject({
  Url: z.string().min(1),
  Headers: z
    .array(z.strictObject({ Key: z.string().min(1).max(256), Value: z.string() }))
    .max(100)
    .default([]),
});

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Posts to a server on this machine, without AWS's confirmation of the destination, signature and batches.
 *
 * @see IoT Core Developer Guide, HTTP action
 */
export const http: ActionKind<z.infer<typeof Declaration>> = {
  declaration: Declaration,
  create({ Url, Headers }, { parameter, sinks }) {
    const { post } = sinks;
    if (post === undefined) throw new Error('the laptop posts to nobody here');
    if (!Url.includes('${')) checkLoopback(Url);
    const url = parameter(Url);
    const headers = Headers.map(({ Key, Value }) => [Key, parameter(Value)] as const);
    return {
      name: 'HttpAction',
      resource: Url,
      async prepare(turn) {
        const resource = await url(turn);
        const rendered = await Promise.all(
          headers.map(async ([key, value]) => [key, await value(turn)] as const),
        );
        const request = requestOf(turn, Object.fromEntries(rendered));
        const attempt = async () => {
          checkLoopback(resource);
          checkStatus((await post(resource, request)).status);
        };
        return { resource, attempt };
      },
    };
  },
};

const requestOf = ({ payload, binary }: Turn, headers: Record<string, string>): PostRequest => ({
  headers: {
    'content-type': binary ? 'application/octet-stream' : 'application/json',
    ...headers,
  },
  body: payload,
});

function checkLoopback(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWeb = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (isWeb && LOOPBACK.test(url.hostname)) return;
  throw new ActionError(`${text} is not on this machine: the laptop posts to loopback only.`);
}

function checkStatus(status: number): void {
  if (status >= 200 && status < 300) return;
  const retryable = status === 429 || status >= 500;
  throw new ActionError(`The server answered with status ${status}.`, { retryable });
}
