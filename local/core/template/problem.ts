/** What is wrong at one place of a template, said so that the place can be found. */
export class TemplateProblem extends Error {
  override readonly name = 'TemplateProblem';
  readonly path: string;

  constructor(path: string, what: string) {
    super(`${path}: ${what}`);
    this.path = path;
  }
}

/** Runs `step`; a template's problem is noted and `otherwise` stands in for the result. */
export function attempt<T>(problems: string[], otherwise: T, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof TemplateProblem)) throw error;
    if (!problems.includes(error.message)) problems.push(error.message);
    return otherwise;
  }
}
