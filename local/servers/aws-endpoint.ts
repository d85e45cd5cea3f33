import { createServer as createHttp1 } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { breakOff } from './aws-answer.ts';
import { type AwsHandlerOptions, createAwsHandler } from './aws-handler.ts';
import type { HttpRequest, HttpResponse } from './aws-request.ts';

const HOST = '127.0.0.1';
/** Longer than any SDK keeps an idle connection, so that it is never the server who hangs up first. */
const KEEP_ALIVE_MS = 10 * 60_000;
const FIRST_BYTES_MS = 30_000;
const GRACE_MS = 1_000;

export type AwsEndpointOptions = AwsHandlerOptions;

export interface AwsEndpoint {
  /** @returns the URL to give to clients; port 0 takes any free port */
  readonly listen: (port: number) => Promise<string>;
  /** Lets calls under way finish, for a second, and hangs up. */
  readonly close: () => Promise<void>;
}

/**
 * The one local address of all AWS services. HTTP/1.1 and HTTP/2 without TLS share the port: the
 * Kinesis client of the JavaScript SDK speaks the latter unless told otherwise, the others the former.
 *
 * It is the operator's plane of a machine: bound to loopback, and **SigV4 signatures are not
 * verified**. The access key id in the signature only says who calls: a function of the template,
 * held to its role, or, without or with any other key, the operator.
 */
export function createAwsEndpoint(options: AwsEndpointOptions): AwsEndpoint {
  const handle = createAwsHandler(options);
  const underWay = new Set<Promise<void>>();
  const sockets = new Set<Socket>();

  const onRequest = (request: HttpRequest, response: HttpResponse): void => {
    const turn = handle(request, response)
      .catch((reason) => {
        const message = 'An answer could not be sent';
        options.log({ level: 'error', source: 'aws', message, reason });
        breakOff(response);
      })
      .finally(() => underWay.delete(turn));
    underWay.add(turn);
  };
  const http1 = createHttp1({ keepAliveTimeout: KEEP_ALIVE_MS }, onRequest);
  const http2 = createHttp2(onRequest);

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    sniff(socket, (isHttp2) => (isHttp2 ? http2 : http1).emit('connection', socket));
  });

  return {
    listen: (port) =>
      new Promise((resolve, reject) => {
        server.once('error', (cause) =>
          reject(new Error(`The AWS endpoint cannot listen on ${HOST}:${port}`, { cause })),
        );
        server.listen(port, HOST, () => resolve(`http://${HOST}:${portOf(server.address())}`));
      }),

    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await settledWithin(GRACE_MS, [...underWay]);
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

const portOf = (address: AddressInfo | string | null): number =>
  typeof address === 'object' ? (address?.port ?? 0) : 0;

/** Looks at the first three bytes of a connection: HTTP/2 begins with `PRI` (RFC 9113, 3.4), HTTP/1.1 never does. */
function sniff(socket: Socket, decide: (isHttp2: boolean) => void): void {
  const hangUp = (): void => {
    socket.destroy();
  };
  const look = (): void => {
    const head: Buffer | null = socket.read(3);
    if (head === null) return;
    socket.off('readable', look).off('error', hangUp).off('timeout', hangUp).setTimeout(0);
    socket.unshift(head);
    decide(head.toString('latin1') === 'PRI');
  };
  socket.on('readable', look).on('error', hangUp).on('timeout', hangUp).setTimeout(FIRST_BYTES_MS);
}

async function settledWithin(
  limitMs: number,
  promises: readonly Promise<unknown>[],
): Promise<void> {
  const { promise: expired, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limitMs);
  await Promise.race([Promise.allSettled(promises), expired]);
  clearTimeout(timer);
}
