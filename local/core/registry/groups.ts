import { checkName, found, RegistryError } from './errors.ts';
import type { ThingGroup } from './model.ts';
import type { RegistryState, RegistryWorld } from './state.ts';

/** Groups a thing may be a direct member of. */
const MOST_GROUPS = 10;

export interface NewThingGroup {
  readonly thingGroupName: string;
  readonly parentGroupName?: string | undefined;
  readonly description?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

/** Groups of things; policies on a group hold for its things and for those of the groups below. */
export interface ThingGroups {
  readonly thingGroup: (thingGroupName: string) => ThingGroup | undefined;
  readonly createThingGroup: (input: NewThingGroup) => ThingGroup;
  readonly addThingToGroup: (thingGroupName: string, thingName: string) => void;
  readonly removeThingFromGroup: (thingGroupName: string, thingName: string) => void;
  /** The groups a thing was put into, not those above them. */
  readonly groupsOf: (thingName: string) => readonly string[];
  /** The same with all groups above, each once. */
  readonly groupsAndParentsOf: (thingName: string) => readonly string[];
}

export function createThingGroups(state: RegistryState, world: RegistryWorld): ThingGroups {
  const { thingGroups, groupMembers } = state;
  const membersOf = (group: string, thing: string): void => {
    found(thingGroups.get(group), 'thing group', group);
    found(state.things.get(thing), 'thing', thing);
  };
  const parents = (name: string): readonly string[] => {
    const parent = thingGroups.get(name)?.parentGroupName;
    return parent === undefined ? [name] : [name, ...parents(parent)];
  };
  return {
    thingGroup: (name) => thingGroups.get(name),
    createThingGroup: (input) => {
      const { thingGroupName: name } = input;
      checkName('thing group name', name);
      const existing = thingGroups.get(name);
      if (existing !== undefined) return sameOrRefused(existing, input, world);
      if (input.parentGroupName !== undefined)
        found(thingGroups.get(input.parentGroupName), 'parent group', input.parentGroupName);
      const group = newGroup(input, world);
      thingGroups.set(name, group);
      world.changed({ kind: 'thingGroup', name, event: 'created' });
      return group;
    },
    addThingToGroup: (group, thing) => {
      membersOf(group, thing);
      if (groupMembers.has(group, thing)) return;
      if (groupMembers.leftsOf(thing).length >= MOST_GROUPS)
        throw new RegistryError(
          'InvalidRequestException',
          `thing "${thing}" is in ${MOST_GROUPS} groups, which is the most`,
        );
      groupMembers.add(group, thing);
      world.changed({ kind: 'thingGroup', name: group, event: 'attached' });
    },
    removeThingFromGroup: (group, thing) => {
      membersOf(group, thing);
      if (groupMembers.remove(group, thing))
        world.changed({ kind: 'thingGroup', name: group, event: 'detached' });
    },
    groupsOf: (thing) => groupMembers.leftsOf(thing),
    groupsAndParentsOf: (thing) => [...new Set(groupMembers.leftsOf(thing).flatMap(parents))],
  };
}

function sameOrRefused(
  existing: ThingGroup,
  input: NewThingGroup,
  { arn }: RegistryWorld,
): ThingGroup {
  const same =
    existing.parentGroupName === input.parentGroupName &&
    existing.description === input.description &&
    JSON.stringify(existing.attributes) === JSON.stringify(input.attributes ?? {});
  if (same) return existing;
  throw new RegistryError(
    'ResourceAlreadyExistsException',
    `thing group "${existing.thingGroupName}" exists with other properties`,
    { resourceId: existing.thingGroupId, resourceArn: arn.thingGroup(existing.thingGroupName) },
  );
}

function newGroup(input: NewThingGroup, world: RegistryWorld): ThingGroup {
  for (const [name, value] of Object.entries(input.attributes ?? {})) {
    checkName('attribute name', name);
    checkName('attribute value', value);
  }
  const { parentGroupName, description } = input;
  return {
    thingGroupName: input.thingGroupName,
    thingGroupId: world.uuid(),
    ...(parentGroupName !== undefined && { parentGroupName }),
    ...(description !== undefined && { description }),
    attributes: { ...input.attributes },
    createdMs: world.now(),
    version: 1,
  };
}
