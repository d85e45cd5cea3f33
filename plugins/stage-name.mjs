/** What every name made from a stage can hold: topic rules take no hyphen, buckets no capital. */
const STAGE_NAME = /^[a-z][a-z0-9]{0,15}$/;

/** Refuses a stage that would package well and then fail while it is being deployed. */
export default class StageName {
  constructor(serverless) {
    this.hooks = {
      initialize: () => {
        const { stage } = serverless.service.provider;
        if (STAGE_NAME.test(stage)) return;
        throw new serverless.classes.Error(
          `Stage "${stage}" cannot be used: it becomes part of names of topic rules and buckets, ` +
            'so it takes 1 to 16 lower-case letters and digits, a letter first (such as "dev" or "prod2").',
          'STAGE_NAME_INVALID',
        );
      },
    };
  }
}
