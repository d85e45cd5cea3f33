import type { Session, Subscription } from './session.ts';
import { createSubscriptionTrie } from './subscription-trie.ts';

/** One session's claim on a message. */
export interface Target {
  readonly session: Session;
  readonly subscription: Subscription;
}

/** Members of a shared subscription; each message goes to one of them, in turn. */
export interface ShareGroup {
  readonly members: Map<string, Target>;
  turn: number;
}

type Entry = { readonly target: Target } | { readonly group: ShareGroup };

export interface Matches {
  /** Each session once, by its matching subscription of the highest QoS. */
  readonly targets: readonly Target[];
  readonly groups: readonly ShareGroup[];
}

export interface SubscriptionIndex {
  add(session: Session, subscription: Subscription): void;
  remove(session: Session, subscription: Subscription): void;
  shareMembers(group: string, filter: string): number;
  match(topic: string): Matches;
}

const shareKey = (group: string): string => `$share/${group}`;

/** Who gets a message of a topic, over all sessions. */
export function createSubscriptionIndex(): SubscriptionIndex {
  const trie = createSubscriptionTrie<Entry>();

  const groupOf = (group: string, filter: string): ShareGroup | undefined => {
    const entry = trie.get(filter, shareKey(group));
    return entry !== undefined && 'group' in entry ? entry.group : undefined;
  };

  return {
    add(session, subscription) {
      const { filter, group } = subscription;
      const target = { session, subscription };
      if (group === undefined) trie.add(filter, `client/${session.clientId}`, { target });
      else {
        const shared = groupOf(group, filter) ?? { members: new Map(), turn: 0 };
        shared.members.set(session.clientId, target);
        trie.add(filter, shareKey(group), { group: shared });
      }
    },
    remove(session, { filter, group }) {
      if (group === undefined) trie.remove(filter, `client/${session.clientId}`);
      else {
        const shared = groupOf(group, filter);
        shared?.members.delete(session.clientId);
        if (shared?.members.size === 0) trie.remove(filter, shareKey(group));
      }
    },
    shareMembers: (group, filter) => groupOf(group, filter)?.members.size ?? 0,
    match: (topic) => separate(trie.match(topic)),
  };
}

function separate(entries: readonly Entry[]): Matches {
  const targets: Target[] = [];
  const groups: ShareGroup[] = [];
  for (const entry of entries) {
    if ('group' in entry) groups.push(entry.group);
    else targets.push(entry.target);
  }
  return { targets: targets.length > 1 ? oncePerSession(targets) : targets, groups };
}

function oncePerSession(targets: readonly Target[]): readonly Target[] {
  const best = new Map<Session, Target>();
  for (const target of targets) {
    const before = best.get(target.session);
    if (before === undefined || before.subscription.qos < target.subscription.qos) {
      best.set(target.session, target);
    }
  }
  return [...best.values()];
}
