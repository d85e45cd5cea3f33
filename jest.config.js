/** Node 24 strips the types itself, so no transformer stands between the source and the test. */
export default {
  testEnvironment: 'node',
  transform: {},
  extensionsToTreatAsEsm: ['.ts'],
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  // a net for what hangs, not a measure: a test may package the service first, on a busy machine
  testTimeout: 300_000,
  // end-to-end tests mostly wait for batching windows, but the laptops they boot have work to do as well
  maxWorkers: 2,
};
