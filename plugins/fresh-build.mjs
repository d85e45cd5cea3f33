import { rmSync } from 'node:fs';
import { join } from 'node:path';

/** Removes what an interrupted build or an `invoke local` left behind: its files would get into the next package. */
export default class FreshBuild {
  constructor(serverless) {
    this.hooks = {
      initialize: () =>
        rmSync(join(serverless.serviceDir, '.esbuild'), { recursive: true, force: true }),
    };
  }
}
