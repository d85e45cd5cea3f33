import { checkName, found, RegistryError } from './errors.ts';
import type { Thing, ThingType } from './model.ts';
import type { RegistryState, RegistryWorld } from './state.ts';

/** Attributes of a thing of a type, and of one without. */
const MOST_ATTRIBUTES = { typed: 50, untyped: 3 } as const;

export interface NewThing {
  readonly thingName: string;
  readonly thingTypeName?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

export interface ThingUpdate {
  readonly thingTypeName?: string | undefined;
  readonly removeThingType?: boolean | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  /** True: an attribute given replaces its old value, an empty one removes it. False: all are replaced. */
  readonly merge?: boolean | undefined;
  readonly expectedVersion?: number | undefined;
}

/** Things and their types. */
export interface Things {
  readonly thing: (thingName: string) => Thing | undefined;
  readonly listThings: () => readonly Thing[];
  /** The same call twice makes one thing; with other attributes it is refused. */
  readonly createThing: (input: NewThing) => Thing;
  readonly updateThing: (thingName: string, update: ThingUpdate) => Thing;
  /** A thing with a principal attached stays. */
  readonly deleteThing: (thingName: string, expectedVersion?: number) => void;
  readonly thingType: (thingTypeName: string) => ThingType | undefined;
  readonly createThingType: (thingTypeName: string, description?: string) => ThingType;
}

export function createThings(state: RegistryState, world: RegistryWorld): Things {
  const { things, thingTypes } = state;
  const save = (thing: Thing, event: 'created' | 'updated'): Thing => {
    checkThing(thing, thingTypes);
    things.set(thing.thingName, thing);
    world.changed({ kind: 'thing', name: thing.thingName, event });
    return thing;
  };
  return {
    thing: (name) => things.get(name),
    listThings: () => [...things.values()],
    createThing: ({ thingName, thingTypeName, attributes = {} }) => {
      checkName('thing name', thingName);
      const existing = things.get(thingName);
      if (existing !== undefined)
        return sameOrRefused(existing, { thingTypeName, attributes }, world);
      const thing = { thingName, thingId: world.uuid(), attributes: { ...attributes }, version: 1 };
      return save(thingTypeName === undefined ? thing : { ...thing, thingTypeName }, 'created');
    },
    updateThing: (name, update) => {
      const thing = found(things.get(name), 'thing', name);
      checkVersion(thing, update.expectedVersion);
      return save(updated(thing, update), 'updated');
    },
    deleteThing: (name, expectedVersion) => {
      const thing = things.get(name);
      if (thing === undefined) return;
      checkVersion(thing, expectedVersion);
      const principals = state.thingPrincipals.rightsOf(name);
      if (principals.length > 0)
        throw new RegistryError(
          'InvalidRequestException',
          `thing "${name}" cannot be deleted while ${principals.length} principal(s) are attached to it`,
        );
      for (const group of state.groupMembers.leftsOf(name)) state.groupMembers.remove(group, name);
      things.delete(name);
      world.changed({ kind: 'thing', name, event: 'deleted' });
    },
    thingType: (name) => thingTypes.get(name),
    createThingType: (thingTypeName, description) => {
      checkName('thing type name', thingTypeName);
      const existing = thingTypes.get(thingTypeName);
      if (existing !== undefined) return existing;
      const type = { thingTypeName, thingTypeId: world.uuid(), createdMs: world.now() };
      const made = description === undefined ? type : { ...type, description };
      thingTypes.set(thingTypeName, made);
      world.changed({ kind: 'thingType', name: thingTypeName, event: 'created' });
      return made;
    },
  };
}

const sorted = (attributes: Readonly<Record<string, string>>): string =>
  JSON.stringify(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)));

function sameOrRefused(
  existing: Thing,
  wanted: {
    readonly thingTypeName: string | undefined;
    readonly attributes: Readonly<Record<string, string>>;
  },
  { arn }: RegistryWorld,
): Thing {
  const same =
    existing.thingTypeName === wanted.thingTypeName &&
    sorted(existing.attributes) === sorted(wanted.attributes);
  if (same) return existing;
  throw new RegistryError(
    'ResourceAlreadyExistsException',
    `thing "${existing.thingName}" exists with another type or other attributes`,
    { resourceId: existing.thingId, resourceArn: arn.thing(existing.thingName) },
  );
}

function updated(thing: Thing, update: ThingUpdate): Thing {
  const { thingTypeName, ...rest } = thing;
  if (update.removeThingType && update.thingTypeName !== undefined)
    throw new RegistryError(
      'InvalidRequestException',
      'removeThingType and thingTypeName contradict each other',
    );
  const type = update.removeThingType ? undefined : (update.thingTypeName ?? thingTypeName);
  const next = {
    ...rest,
    attributes: attributesAfter(thing.attributes, update),
    version: thing.version + 1,
  };
  return type === undefined ? next : { ...next, thingTypeName: type };
}

function attributesAfter(
  before: Readonly<Record<string, string>>,
  { attributes, merge }: ThingUpdate,
): Record<string, string> {
  if (attributes === undefined) return { ...before };
  const entries = Object.entries(merge ? { ...before, ...attributes } : attributes);
  return Object.fromEntries(entries.filter(([, value]) => value !== ''));
}

function checkThing(thing: Thing, types: ReadonlyMap<string, ThingType>): void {
  const { thingTypeName, attributes } = thing;
  if (thingTypeName !== undefined) found(types.get(thingTypeName), 'thing type', thingTypeName);
  for (const [name, value] of Object.entries(attributes)) {
    checkName('attribute name', name);
    checkName('attribute value', value);
  }
  const most = thingTypeName === undefined ? MOST_ATTRIBUTES.untyped : MOST_ATTRIBUTES.typed;
  const count = Object.keys(attributes).length;
  if (count > most)
    throw new RegistryError(
      'InvalidRequestException',
      `thing "${thing.thingName}" has ${count} attributes; a thing ${
        thingTypeName === undefined ? 'without a type' : 'with a type'
      } has at most ${most}`,
    );
}

function checkVersion(thing: Thing, expected: number | undefined): void {
  if (expected !== undefined && expected !== thing.version)
    throw new RegistryError(
      'VersionConflictException',
      `thing "${thing.thingName}" has version ${thing.version}, not ${expected}`,
    );
}
