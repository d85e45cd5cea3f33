/**
 * For esbuild: of the SDK's ways to find credentials a function keeps the one that Lambda uses, its environment.
 * The others (SSO, profiles, login, instance metadata) are a quarter of a bundle and can never run there.
 *
 * @see Lambda Developer Guide, "Defined runtime environment variables"
 */
const DEFAULT_CHAIN = /^@aws-sdk\/credential-provider-node$/;

const fromEnvironment = `
  import { fromEnv } from '@aws-sdk/credential-provider-env';
  export const defaultProvider = () => fromEnv();
`;

module.exports = [
  {
    name: 'lambda-credentials',
    setup(build) {
      const namespace = 'lambda-credentials';
      build.onResolve({ filter: DEFAULT_CHAIN }, ({ path, resolveDir }) => ({
        path,
        namespace,
        pluginData: { resolveDir },
      }));
      build.onLoad({ filter: DEFAULT_CHAIN, namespace }, ({ pluginData }) => ({
        contents: fromEnvironment,
        resolveDir: pluginData.resolveDir,
      }));
    },
  },
];
