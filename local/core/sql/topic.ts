/** Topic names and filters as AWS IoT's rules match them. */

/** What is wrong with a topic filter, with the offset where; undefined for a right one. */
export function topicFilterProblem(
  filter: string,
): { readonly at: number; readonly expected: string; readonly found: string } | undefined {
  if (filter === '') return { at: 0, expected: 'a topic filter', found: 'an empty string' };
  let at = 0;
  const levels = filter.split('/');
  for (const [index, level] of levels.entries()) {
    if (level.includes('#') && level !== '#') {
      return { at, expected: "'#' as a level of its own", found: `'${level}'` };
    }
    if (level === '#' && index < levels.length - 1) {
      return { at: at + 1, expected: "nothing after '#'", found: `'${filter.slice(at + 1)}'` };
    }
    if (level.includes('+') && level !== '+') {
      return { at, expected: "'+' as a level of its own", found: `'${level}'` };
    }
    at += level.length + 1;
  }
  return undefined;
}

/**
 * Whether a topic lies under a filter. Unlike MQTT [MQTT-4.7.1-2], `a/#` does not match `a` itself
 * (AWS IoT developer guide, topics); a leading wildcard does not match topics that begin with `$`
 * [MQTT-4.7.2-1].
 */
export function topicMatches(filter: string, topic: string): boolean {
  return compileTopicFilter(filter)(topic);
}

/** {@link topicMatches} with the filter taken apart beforehand. */
export function compileTopicFilter(filter: string): (topic: string) => boolean {
  const wild = filter.search(/[+#]/);
  if (wild < 0) return (topic) => topic === filter;
  const prefix = filter.slice(0, wild);
  const levels = filter.slice(wild).split('/');
  return (topic) => {
    if (prefix === '' ? topic.startsWith('$') : !topic.startsWith(prefix)) return false;
    return levelsMatch(levels, topic, prefix.length);
  };
}

/** Matches the levels from the first wildcard on with the topic from `from` on. */
function levelsMatch(levels: readonly string[], topic: string, from: number): boolean {
  let at = from;
  for (let index = 0; index < levels.length; index++) {
    const level = levels[index];
    if (level === '#') return at <= topic.length;
    if (at > topic.length) return false;
    const slash = topic.indexOf('/', at);
    const end = slash < 0 ? topic.length : slash;
    if (level !== '+' && level !== topic.slice(at, end)) return false;
    at = end + 1;
  }
  return at > topic.length;
}

const BASIC_INGEST = /^\$aws\/rules\/([^/]+)(?:\/|$)/;

/** The rule a Basic Ingest topic (`$aws/rules/<rule>/<topic>`) names, and the topic as that rule sees it. */
export function basicIngest(
  topic: string,
): { readonly rule: string; readonly topic: string } | undefined {
  if (!topic.startsWith('$aws/rules/')) return undefined;
  const match = BASIC_INGEST.exec(topic);
  return match?.[1] === undefined
    ? undefined
    : { rule: match[1], topic: topic.slice(match[0].length) };
}
