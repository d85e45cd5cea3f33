import type { Limits } from './limits.ts';

/** Why a topic or filter cannot be used, for the operator: what is wrong and what would be right. */
export type Problem = string;

const utf8Bytes = (text: string): number => Buffer.byteLength(text, 'utf8');

const BASIC_INGEST = /^\$aws\/rules\/([A-Za-z0-9_]+)\/(.+)$/s;

/** @returns the rule named by a Basic Ingest topic, `$aws/rules/NAME/rest`, and the rest; else undefined. */
export function basicIngest(topic: string): { rule: string; rest: string } | undefined {
  if (!topic.startsWith('$aws/rules/')) return undefined;
  const [, rule, rest] = BASIC_INGEST.exec(topic) ?? [];
  return rule === undefined || rest === undefined ? undefined : { rule, rest };
}

function countSlashes(text: string): number {
  let count = 0;
  for (let at = text.indexOf('/'); at !== -1; at = text.indexOf('/', at + 1)) count += 1;
  return count;
}

function sizeProblem(text: string, counted: string, limits: Limits): Problem | undefined {
  if (text === '') return 'is empty; it needs at least one character [MQTT-4.7.3-1]';
  if (text.includes('\0')) return 'holds U+0000, which no topic may [MQTT-4.7.3-2]';
  if (text.length * 3 > limits.topicBytes && utf8Bytes(counted) > limits.topicBytes) {
    return `is ${utf8Bytes(counted)} bytes long; at most ${limits.topicBytes} are allowed`;
  }
  const slashes = countSlashes(counted);
  if (slashes <= limits.topicSlashes) return undefined;
  return `has ${slashes} forward slashes; at most ${limits.topicSlashes} are allowed`;
}

/**
 * Checks the topic name of a PUBLISH or Will. The prefix `$aws/rules/NAME/` of Basic Ingest does not
 * count towards length and slashes.
 */
export function topicProblem(topic: string, limits: Limits): Problem | undefined {
  const counted = topic.startsWith('$') ? (basicIngest(topic)?.rest ?? topic) : topic;
  const problem = sizeProblem(topic, counted, limits);
  if (problem !== undefined) return problem;
  if (!topic.includes('+') && !topic.includes('#')) return undefined;
  return 'holds a wildcard (+ or #), which only a subscription may [MQTT-3.3.2-2]';
}

/** A subscription's filter text taken apart: `$share/GROUP/FILTER` or plain. */
export interface ParsedFilter {
  /** What topics are matched against. */
  readonly filter: string;
  readonly group?: string;
}

/** @returns the parts of a filter, or the problem with it. */
export function parseFilter(text: string, limits: Limits): ParsedFilter | { problem: Problem } {
  if (!text.startsWith('$share/')) {
    const problem = sizeProblem(text, text, limits) ?? wildcardProblem(text);
    return problem === undefined ? { filter: text } : { problem };
  }
  const nameEnd = text.indexOf('/', '$share/'.length);
  const group = text.slice('$share/'.length, nameEnd === -1 ? undefined : nameEnd);
  const filter = nameEnd === -1 ? '' : text.slice(nameEnd + 1);
  const problem =
    groupProblem(group, limits) ?? sizeProblem(filter, filter, limits) ?? wildcardProblem(filter);
  return problem === undefined ? { filter, group } : { problem };
}

function groupProblem(group: string, limits: Limits): Problem | undefined {
  if (group === '') return 'names no share; write $share/NAME/FILTER [MQTT-4.8.2-1]';
  if (/[+#]/.test(group)) return 'has a wildcard in its share name [MQTT-4.8.2-2]';
  if (group.length <= limits.shareNameChars) return undefined;
  return `has a share name of ${group.length} characters; at most ${limits.shareNameChars} are allowed`;
}

function wildcardProblem(filter: string): Problem | undefined {
  if (!filter.includes('+') && !filter.includes('#')) return undefined;
  const levels = filter.split('/');
  const hash = levels.findIndex((level) => level.includes('#'));
  if (hash !== -1 && (levels[hash] !== '#' || hash !== levels.length - 1)) {
    return 'has a # that is not the whole last level [MQTT-4.7.1-2]';
  }
  if (levels.every((level) => level === '+' || !level.includes('+'))) return undefined;
  return 'has a + that is not a whole level [MQTT-4.7.1-3]';
}

/**
 * Whether a filter matches a topic as AWS does: `a/#` matches what is below `a` but not `a` itself,
 * and a wildcard at the first level does not reach topics that begin with `$` [MQTT-4.7.2-1].
 */
export function filterMatches(filter: string, topic: string): boolean {
  const filterLevels = filter.split('/');
  const topicLevels = topic.split('/');
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false;
  for (const [index, level] of filterLevels.entries()) {
    if (index >= topicLevels.length) return false;
    if (level === '#') return true;
    if (level !== '+' && level !== topicLevels[index]) return false;
  }
  return filterLevels.length === topicLevels.length;
}
