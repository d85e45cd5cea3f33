export interface FetchLimits {
  readonly timeoutMs: number;
  readonly bytes: number;
}

/**
 * Gets a small text. The whole of it has one time limit, a larger one is cut off where it gets too large, and a
 * redirect is an error, as it would lead where nobody configured.
 *
 * @throws {Error} that says what was wrong, without the text
 */
export async function fetchText(url: string, { timeoutMs, bytes }: FetchLimits): Promise<string> {
  // loaded when first needed: it costs more than the rest of the function's start
  const { request } = url.startsWith('https:')
    ? await import('node:https')
    : await import('node:http');
  return await new Promise((resolve, reject) => {
    const call = request(url, {
      signal: AbortSignal.timeout(timeoutMs),
      headers: { accept: 'application/jwk-set+json, application/json' },
    });
    call.on('error', reject);
    call.on('response', (response) => {
      const fail = (problem: string): void => {
        call.destroy(new Error(problem));
      };
      if (response.statusCode !== 200) fail(`answered with status ${response.statusCode}`);
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > bytes) fail(`answered with more than ${bytes} bytes`);
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => resolve(Buffer.concat(chunks).toString()));
    });
    call.end();
  });
}
