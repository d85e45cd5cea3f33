import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface KeyServer {
  readonly url: string;
  readonly requests: readonly string[];
  /** What the next requests are answered with. */
  answer: (response: ServerResponse) => void;
  readonly close: () => Promise<void>;
}

export const answerKeys =
  (...keys: readonly object[]) =>
  (response: ServerResponse): void => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
  };

/** A server of key sets on loopback. */
export async function startKeyServer(...keys: readonly object[]): Promise<KeyServer> {
  const requests: string[] = [];
  const http = createServer((request, response) => {
    requests.push(request.url ?? '');
    server.answer(response);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const server: KeyServer = {
    url: `http://127.0.0.1:${port}/keys`,
    requests,
    answer: answerKeys(...keys),
    close: async () => {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
  return server;
}
