import { reject } from './errors.ts';
import { isKind, KINDS, type Kind, NAME } from './names.ts';

/** Who published what: the identity of a message, as the device's policy pinned it. */
export interface Topic {
  readonly fleet: string;
  readonly thing: string;
  readonly kind: Kind;
}

/**
 * Reads `dt/<fleet>/<thing>/<kind>`. A message of Basic Ingest arrives without its `$aws/rules/<rule>/`
 * (the rule's `topic()` leaves it out), and FROM may not have been checked then: so the shape is, here.
 *
 * @throws {RejectedError} `MALFORMED_TOPIC` or `UNKNOWN_KIND`, naming the level at fault
 */
export function parseTopic(topic: string): Topic {
  const levels = topic.split('/', 6);
  const [root, fleet = '', thing = '', kind = ''] = levels;
  if (root !== 'dt') reject('MALFORMED_TOPIC', 'topic', 'level 1 wants dt');
  if (levels.length !== 4) {
    const count = levels.length > 5 ? 'more than 5' : String(levels.length);
    reject('MALFORMED_TOPIC', 'topic', `wants dt/<fleet>/<thing>/<kind>, has ${count} levels`);
  }
  if (!NAME.test(fleet)) reject('MALFORMED_TOPIC', 'topic', 'level 2 (fleet) is not a name');
  if (!NAME.test(thing)) reject('MALFORMED_TOPIC', 'topic', 'level 3 (thing) is not a name');
  if (!isKind(kind)) {
    reject('UNKNOWN_KIND', 'topic', `level 4 (kind) is unknown, wants ${KINDS.join(' or ')}`);
  }
  return { fleet, thing, kind };
}

export const formatTopic = ({ fleet, thing, kind }: Topic): string =>
  `dt/${fleet}/${thing}/${kind}`;
