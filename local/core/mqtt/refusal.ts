import type { Decision } from '../policy/index.ts';
import type { IotAction } from './access.ts';
import type { BrokerState, Transports } from './broker-state.ts';

/** Whom a refusal or event is about. */
export interface Subject {
  readonly protocol: Transports;
  readonly principal: string;
  readonly sourceIp: string;
  readonly clientId?: string;
}

/** A policy said no. */
export interface PolicyRefusal extends Subject {
  readonly type: 'policy-refusal';
  readonly action: IotAction;
  readonly resource: string;
  readonly explanation: string;
  readonly fix?: string;
  readonly policy?: string;
  readonly statement?: string | number;
  /** Variables and condition keys with the values they had; null for those without one. */
  readonly variables: Decision['variables'];
}

/** Something a policy has no say in: a limit, a reserved topic, the protocol itself. */
export interface BrokerRefusal extends Subject {
  readonly type: 'broker-refusal';
  /** Key of the counter it went into. */
  readonly reason: string;
  readonly explanation: string;
}

/** Somebody whose credentials were not taken: a signature, or what a custom authorizer was shown. */
export interface CredentialRefusal {
  readonly type: 'credential-refusal';
  readonly protocol: Transports;
  readonly sourceIp: string;
  readonly reason: string;
  readonly explanation: string;
  /** Access key id or name of the authorizer. */
  readonly principal?: string;
  readonly clientId?: string;
}

/** A TLS peer that was not let in. */
export interface CertificateRefusal {
  readonly type: 'certificate-refusal';
  readonly protocol: Transports;
  readonly sourceIp: string;
  readonly reason: string;
  readonly explanation: string;
  readonly certificateId?: string;
}

export type GatewayEvent =
  | PolicyRefusal
  | BrokerRefusal
  | CertificateRefusal
  | CredentialRefusal
  | { readonly type: 'lifecycle'; readonly topic: string; readonly body: object };

type Witness = Pick<BrokerState, 'counters' | 'log' | 'onEvent'>;

export function countRefusal({ counters }: Witness, reason: string): void {
  counters.refused[reason] = (counters.refused[reason] ?? 0) + 1;
}

export interface Refused {
  readonly action: IotAction;
  readonly resource: string;
  readonly decision: Decision;
}

/** Tells the operator which statement refused what, and the smallest change that would allow it. */
export function reportPolicyRefusal(
  broker: Witness,
  subject: Subject,
  { action, resource, decision }: Refused,
): void {
  const { explanation, fix, policy, statement, variables } = decision;
  const about = {
    ...subject,
    action,
    resource,
    explanation,
    variables,
    ...(fix !== undefined && { fix }),
    ...(policy !== undefined && { policy }),
    ...(statement !== undefined && { statement }),
  };
  countRefusal(broker, action);
  broker.log({ level: 'warn', source: 'gateway', message: `${action} refused`, ...about });
  broker.onEvent({ type: 'policy-refusal', ...about });
}

/** Tells the operator what a client did that no policy could allow. */
export function reportBrokerRefusal(
  broker: Witness,
  subject: Subject,
  reason: string,
  explanation: string,
): void {
  countRefusal(broker, reason);
  const about = { ...subject, reason, explanation };
  broker.log({ level: 'warn', source: 'gateway', message: explanation, ...about });
  broker.onEvent({ type: 'broker-refusal', ...about });
}

/** Tells the operator why credentials were not taken; the client learns only that they were not. */
export function reportCredentialRefusal(
  broker: Witness,
  refusal: Omit<CredentialRefusal, 'type'>,
): void {
  countRefusal(broker, refusal.reason);
  broker.log({ level: 'warn', source: 'gateway', message: refusal.explanation, ...refusal });
  broker.onEvent({ type: 'credential-refusal', ...refusal });
}
