import { reject } from '../errors.ts';
import { findJsonFault } from './json-fault.ts';

/** @throws {RejectedError} `MALFORMED_PAYLOAD`, saying at which character and under which path the text stops being JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return rejectFault(text);
  }
}

/**
 * `JSON.parse` keeps the last of duplicate keys and says nothing. But then the text has more members than the value,
 * and members can be counted in one pass: a colon outside of a string for each. Only where the counts differ is the
 * text searched for the place.
 *
 * @param text     JSON that was parsed
 * @param members  how many members the parsed value has, over all its objects
 * @throws {RejectedError} `MALFORMED_PAYLOAD` with the path of the first duplicate
 */
export function refuseDuplicates(text: string, members: number): void {
  if (countMembers(text) !== members) rejectFault(text);
}

const QUOTE = 34;
const BACKSLASH = 92;
const COLON = 58;

function countMembers(text: string): number {
  let members = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) quoted = !quoted;
    else if (code === BACKSLASH) at += 1;
    else if (code === COLON && !quoted) members += 1;
  }
  return members;
}

function rejectFault(text: string): never {
  const { path, offset, problem } = findJsonFault(text);
  return reject('MALFORMED_PAYLOAD', path, `${problem} (character ${offset + 1})`);
}
