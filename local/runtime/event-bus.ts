import * as z from 'zod';
import { compilePattern } from '../core/events/pattern.ts';
import type { Log } from '../core/log.ts';
import type { ResolvedResource } from '../core/template/index.ts';

/** @see EventBridge User Guide, "AWS service event metadata" */
export interface BusEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  /** ISO 8601, whole seconds. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

/** A rule that waits for events. */
export interface EventRule {
  readonly arn: string;
  readonly bus: string;
  readonly matches: (event: unknown) => boolean;
  readonly targets: readonly { readonly arn: string; readonly input?: string | undefined }[];
}

export interface EventBusDeps {
  readonly rules: readonly EventRule[];
  /** Beside `default`. */
  readonly buses: readonly string[];
  readonly deliver: (arn: string, body: string) => Promise<void>;
  /** Why EventBridge may not bring a rule's events to a target; undefined where it may. */
  readonly missingGrant: (targetArn: string, ruleArn: string) => string | undefined;
  readonly log: Log;
  /** Sees each event. */
  readonly onEvent?: (event: BusEvent) => void;
}

export interface EventBus {
  readonly has: (bus: string) => boolean;
  /** Brings an event to the targets of the bus's rules that it matches; who cannot be reached is said in the log. */
  readonly put: (bus: string, event: BusEvent) => Promise<void>;
}

const absent = (why: string) => z.undefined(why).optional();

const Properties = z.strictObject({
  Name: z.string().optional(),
  Description: z.unknown().optional(),
  EventPattern: z.record(z.string(), z.unknown()),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  EventBusName: z.string().default('default'),
  Targets: z
    .array(
      z.strictObject({
        Id: z.string(),
        Arn: z
          .string()
          .regex(
            /^arn:aws:(?:sns|sqs|lambda):/,
            'events go to topics, queues and functions here, and nowhere else',
          ),
        Input: z.string().optional(),
        InputPath: absent('the laptop hands events on whole'),
        InputTransformer: absent('the laptop hands events on whole'),
      }),
    )
    .max(5)
    .default([]),
  RoleArn: z.unknown().optional(),
  Tags: z.unknown().optional(),
});

/**
 * Reads an `AWS::Events::Rule` with a pattern.
 *
 * @returns        nothing for one that is disabled
 * @throws {Error} naming the resource and what is wrong or not supported
 */
export function declaredEventRule({
  logicalId,
  arn = '',
  properties,
}: ResolvedResource): EventRule | undefined {
  const parsed = Properties.safeParse(properties);
  if (!parsed.success) throw new Error(`Resources.${logicalId}: ${z.prettifyError(parsed.error)}`);
  const { EventPattern, State, EventBusName, Targets } = parsed.data;
  if (State === 'DISABLED') return undefined;
  try {
    return {
      arn,
      bus: busNameOf(EventBusName),
      matches: compilePattern(EventPattern),
      targets: Targets.map(({ Arn, Input }) => ({ arn: Arn, input: Input })),
    };
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new Error(`Resources.${logicalId}: ${what}`, { cause: error });
  }
}

/** @param reference  name or ARN of a bus */
export const busNameOf = (reference: string): string =>
  /:event-bus\/(.+)$/.exec(reference)?.[1] ?? reference;

/** EventBridge without archives, retries and transformations. */
export function createEventBus(deps: EventBusDeps): EventBus {
  const { rules, deliver, missingGrant, log, onEvent } = deps;
  const buses = new Set(['default', ...deps.buses]);

  const bring = async (event: BusEvent, rule: EventRule): Promise<void> => {
    for (const { arn, input } of rule.targets) {
      try {
        const problem = missingGrant(arn, rule.arn);
        if (problem !== undefined) throw new Error(problem);
        await deliver(arn, input ?? JSON.stringify(event));
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        const message = `${rule.arn} could not bring an event to ${arn}: ${why}`;
        log({ level: 'error', source: 'events', message, id: event.id });
      }
    }
  };

  return {
    has: (bus) => buses.has(bus),
    async put(bus, event) {
      onEvent?.(event);
      const matching = rules.filter((rule) => rule.bus === bus && rule.matches(event));
      for (const rule of matching) await bring(event, rule);
    },
  };
}
