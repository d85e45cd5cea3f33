import { compilePattern, isFields, PatternError } from './pattern.ts';

/** What a filter sees of one record: its content, and what the source says of it. */
export interface FilterCandidate {
  readonly content: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface FilterSource {
  /** The key of a pattern that stands for the record's content: `data` of a stream, `body` of a queue. */
  readonly contentKey: string;
  readonly metadataKeys: readonly string[];
  /** Whether content may be matched as plain text, as in queues. */
  readonly takesText: boolean;
}

export const KINESIS_FILTERS: FilterSource = {
  contentKey: 'data',
  metadataKeys: ['partitionKey', 'sequenceNumber', 'approximateArrivalTimestamp', 'eventID'],
  takesText: false,
};

export const SQS_FILTERS: FilterSource = {
  contentKey: 'body',
  metadataKeys: ['messageId', 'attributes', 'messageAttributes'],
  takesText: true,
};

/**
 * Compiles the `FilterCriteria` of an event source mapping: a record passes when one pattern matches.
 * Where a pattern describes content as JSON, content that is none does not match; no patterns let
 * everything pass. Newer documentation lets patterns on streams look at `data` alone; older ones, and
 * this, at metadata as well.
 *
 * @param patterns  `Pattern` of each filter, JSON in text
 * @throws {PatternError} a pattern that is no JSON, is not supported, or names a key that no record has
 * @see Lambda Developer Guide, "Control which events Lambda sends to your function"
 */
export function compileFilterCriteria(
  patterns: readonly string[],
  source: FilterSource,
): (candidate: FilterCandidate) => boolean {
  const filters = patterns.map((text, index) => filterOf(text, `Filters[${index}]`, source));
  return (candidate) => filters.length === 0 || filters.some((passes) => passes(candidate));
}

function filterOf(text: string, path: string, source: FilterSource) {
  const pattern = parsePattern(text, path);
  checkKeys(pattern, path, source);
  const matches = compileAt(pattern, path);
  const content = pattern[source.contentKey];
  return ({ content: text, metadata }: FilterCandidate): boolean => {
    if (content === undefined) return matches(metadata);
    const value = isFields(content) ? jsonObject(text) : plainText(text);
    return value !== undefined && matches({ ...metadata, [source.contentKey]: value });
  };
}

function parsePattern(text: string, path: string): Readonly<Record<string, unknown>> {
  const value = parseJson(text);
  if (isFields(value)) return value;
  throw new PatternError(path, 'is no JSON object');
}

function compileAt(pattern: unknown, path: string) {
  try {
    return compilePattern(pattern);
  } catch (error) {
    if (error instanceof PatternError) throw new PatternError(path, error.message);
    throw error;
  }
}

function checkKeys(pattern: object, path: string, source: FilterSource): void {
  const { contentKey, metadataKeys, takesText } = source;
  for (const [key, expected] of Object.entries(pattern)) {
    if (key === contentKey && (takesText || isFields(expected))) continue;
    if (key === contentKey)
      throw new PatternError(`${path}.${key}`, 'takes an object: content is JSON');
    if (metadataKeys.includes(key)) continue;
    throw new PatternError(
      `${path}.${key}`,
      `a record has ${[contentKey, ...metadataKeys].join(', ')}, not this`,
    );
  }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const jsonObject = (text: string): unknown => {
  const value = parseJson(text);
  return isFields(value) ? value : undefined;
};

/** A pattern of plain text does not match content that is JSON. */
const plainText = (text: string): string | undefined =>
  typeof parseJson(text) === 'object' ? undefined : text;
