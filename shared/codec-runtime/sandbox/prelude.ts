import { ANSWER_LIMIT_CHARS } from '../budget.ts';
import { installBuffer } from './buffer.ts';
import { installConsole } from './console.ts';
import { installLocale } from './locale.ts';
import { installModules } from './modules.ts';
import { type AnswerLimits, createRunner } from './runner.ts';

const CONSOLE_LIMITS = { lines: 50, chars: 500 };
const ANSWER_LIMITS: AnswerLimits = {
  depth: 32,
  values: 10_000,
  chars: ANSWER_LIMIT_CHARS,
  texts: 20,
  textChars: 1_000,
};

/** The script that readies the sandbox; its value is the function that the host calls. */
export const prelude = (): string => `(function () {
  "use strict";
  (${installLocale})();
  (${installBuffer})();
  (${installModules})();
  return (${createRunner})((${installConsole})(${JSON.stringify(CONSOLE_LIMITS)}), ${JSON.stringify(ANSWER_LIMITS)});
})()`;
