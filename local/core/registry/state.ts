import { createLinks, type Links } from './links.ts';
import type {
  Authority,
  Certificate,
  Policy,
  RegistryChange,
  RegistryFile,
  Thing,
  ThingGroup,
  ThingType,
} from './model.ts';

/** Everything the registry knows, by name. */
export interface RegistryState {
  readonly registrationCode: string;
  readonly things: Map<string, Thing>;
  readonly thingTypes: Map<string, ThingType>;
  readonly thingGroups: Map<string, ThingGroup>;
  readonly certificates: Map<string, Certificate>;
  readonly authorities: Map<string, Authority>;
  readonly policies: Map<string, Policy>;
  /** Thing name ↔ principal ARN. */
  readonly thingPrincipals: Links;
  /** Group name ↔ thing name. */
  readonly groupMembers: Links;
  /** Policy name ↔ target ARN. */
  readonly policyTargets: Links;
}

/** What a registry asks of the outside. */
export interface RegistryWorld {
  readonly now: () => number;
  readonly uuid: () => string;
  readonly arn: Arns;
  readonly changed: (change: RegistryChange) => void;
}

export interface Arns {
  readonly thing: (name: string) => string;
  readonly thingType: (name: string) => string;
  readonly thingGroup: (name: string) => string;
  readonly certificate: (id: string) => string;
  readonly authority: (id: string) => string;
  readonly policy: (name: string) => string;
}

/** `arn:aws:iot:REGION:ACCOUNT:TYPE/NAME` */
export function arnsOf(region: string, accountId: string): Arns {
  const arn = (type: string) => (name: string) =>
    `arn:aws:iot:${region}:${accountId}:${type}/${name}`;
  return {
    thing: arn('thing'),
    thingType: arn('thingtype'),
    thingGroup: arn('thinggroup'),
    certificate: arn('cert'),
    authority: arn('cacert'),
    policy: arn('policy'),
  };
}

export const emptyFile = (registrationCode: string): RegistryFile => ({
  format: 1,
  registrationCode,
  things: [],
  thingTypes: [],
  thingGroups: [],
  certificates: [],
  authorities: [],
  policies: [],
  thingPrincipals: [],
  groupMembers: [],
  policyTargets: [],
});

const by = <T>(items: readonly T[], name: (item: T) => string): Map<string, T> =>
  new Map(items.map((item) => [name(item), item]));

export const stateFrom = (file: RegistryFile): RegistryState => ({
  registrationCode: file.registrationCode,
  things: by(file.things, ({ thingName }) => thingName),
  thingTypes: by(file.thingTypes, ({ thingTypeName }) => thingTypeName),
  thingGroups: by(file.thingGroups, ({ thingGroupName }) => thingGroupName),
  certificates: by(file.certificates, ({ certificateId }) => certificateId),
  authorities: by(file.authorities, ({ certificateId }) => certificateId),
  policies: by(file.policies, ({ policyName }) => policyName),
  thingPrincipals: createLinks(file.thingPrincipals),
  groupMembers: createLinks(file.groupMembers),
  policyTargets: createLinks(file.policyTargets),
});

export const fileFrom = (state: RegistryState): RegistryFile => ({
  format: 1,
  registrationCode: state.registrationCode,
  things: [...state.things.values()],
  thingTypes: [...state.thingTypes.values()],
  thingGroups: [...state.thingGroups.values()],
  certificates: [...state.certificates.values()],
  authorities: [...state.authorities.values()],
  policies: [...state.policies.values()],
  thingPrincipals: state.thingPrincipals.pairs(),
  groupMembers: state.groupMembers.pairs(),
  policyTargets: state.policyTargets.pairs(),
});
