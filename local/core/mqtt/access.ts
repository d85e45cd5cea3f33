import {
  type CompiledPolicies,
  type Decision,
  decide,
  type PolicyContext,
} from '../policy/index.ts';

export type IotAction =
  | 'iot:Connect'
  | 'iot:Publish'
  | 'iot:RetainPublish'
  | 'iot:Subscribe'
  | 'iot:Receive'
  | 'iot:DeleteConnection';

const RESOURCE_TYPES: Record<IotAction, string> = {
  'iot:Connect': 'client',
  'iot:Publish': 'topic',
  'iot:RetainPublish': 'topic',
  'iot:Subscribe': 'topicfilter',
  'iot:Receive': 'topic',
  'iot:DeleteConnection': 'client',
};

/** What one connection (or HTTPS client) may do. */
export interface Access {
  /** @returns the decision, and whether it is the first one since the policies were read */
  decide(action: IotAction, name: string): { readonly decision: Decision; readonly first: boolean };
  /** Decides a CONNECT, whose condition keys no other action has. */
  connect(clientId: string, attributes: ConnectAttributes): Decision;
  /** The ARN an action is decided on. */
  resource(action: IotAction, name: string): string;
}

/** What a CONNECT asks for beyond the connection, see "connectAttributes" in the developer guide. */
export interface ConnectAttributes {
  readonly persistent: boolean;
  readonly willTopic?: string;
}

/** Policies and variables of a connection at one moment. */
export interface Grants {
  readonly policies: CompiledPolicies;
  readonly context: PolicyContext;
}

export interface AccessOptions {
  /** `arn:aws:iot:REGION:ACCOUNT`, before the colon of the resource. */
  readonly arnPrefix: string;
  /** Reads the registry anew; called once, and again after each change of the revision. */
  readonly read: () => Grants;
  /** Counts the registry's changes as far as they have propagated. */
  readonly revision: () => number;
}

const REMEMBERED = 1000;

/** A decision depends on action and name alone while the policies stand, so it is made once for each. */
export function createAccess({ arnPrefix, read, revision }: AccessOptions): Access {
  const remembered = new Map<string, Decision>();
  let readAt = revision();
  let grants = read();

  const current = (): Grants => {
    const now = revision();
    if (now === readAt) return grants;
    readAt = now;
    remembered.clear();
    grants = read();
    return grants;
  };

  const resource = (action: IotAction, name: string): string =>
    `${arnPrefix}:${RESOURCE_TYPES[action]}/${name}`;

  const remember = (key: string, decision: Decision): void => {
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(key, decision);
  };

  return {
    resource,
    decide(action, name) {
      const { policies, context } = current();
      const key = `${action} ${name}`;
      const before = remembered.get(key);
      if (before !== undefined) return { decision: before, first: false };
      const decision = decide(policies, { action, resource: resource(action, name), context });
      remember(key, decision);
      return { decision, first: true };
    },
    connect(clientId, { persistent, willTopic }) {
      const { policies, context } = current();
      const attributes = [
        ...(persistent ? ['PersistentConnect'] : []),
        ...(willTopic === undefined ? [] : ['LastWill']),
      ];
      return decide(policies, {
        action: 'iot:Connect',
        resource: resource('iot:Connect', clientId),
        context: {
          ...context,
          'iot:ConnectAttributes': attributes,
          ...(willTopic !== undefined && {
            'iot:LastWillTopic': resource('iot:Publish', willTopic),
          }),
        },
      });
    },
  };
}
