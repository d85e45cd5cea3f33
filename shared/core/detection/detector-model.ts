import * as z from 'zod';
import {
  compileExpression,
  type EventExpression,
  EventExpressionError,
  type EventScope,
  type EventValue,
  isTrue,
  UNDEFINED,
} from './event-expression.ts';

/*
 * Detector models of AWS IoT Events (CreateDetectorModel, API version 2018-07-27): states, conditions, variables and
 * timers. What such a model told the world by actions, it tells here by the states it enters.
 */

/** Actions that are carried out; all others are refused by name, or replaced where the import allows it. */
const Action = z.record(z.string(), z.unknown());
const Event = z.strictObject({
  eventName: z.string().min(1).max(128),
  condition: z.string().max(512).nullish(),
  actions: z.array(Action).nullish(),
});
const Transition = z.strictObject({ ...Event.shape, nextState: z.string().min(1) });
const Events = z.strictObject({ events: z.array(Event).nullish() });
const State = z.strictObject({
  stateName: z.string().min(1).max(128),
  onInput: z
    .strictObject({ ...Events.shape, transitionEvents: z.array(Transition).nullish() })
    .nullish(),
  onEnter: Events.nullish(),
  onExit: Events.nullish(),
});
const Definition = z.strictObject({
  states: z.array(State).min(1),
  initialStateName: z.string().min(1),
});

/** As a console export or `CreateDetectorModel` has it. What has no meaning here is known, and left alone. */
const Model = z.strictObject({
  detectorModelName: z.string().min(1).max(128).optional(),
  detectorModelDefinition: Definition,
  evaluationMethod: z.enum(['BATCH', 'SERIAL']).default('BATCH'),
  /** Which attribute of a message tells detectors apart: here each device has one of its own. */
  key: z.string().nullish(),
  detectorModelDescription: z.string().nullish(),
  roleArn: z.string().nullish(),
  tags: z.array(z.unknown()).nullish(),
});

/** As `DescribeDetectorModel` has it. */
const Described = z.object({
  detectorModel: z.object({
    detectorModelDefinition: z.unknown(),
    detectorModelConfiguration: z.object({
      detectorModelName: z.unknown().optional(),
      evaluationMethod: z.unknown().optional(),
    }),
  }),
});

function asCreated(input: unknown): unknown {
  const described = Described.safeParse(input);
  if (!described.success) return input;
  const { detectorModelDefinition, detectorModelConfiguration } = described.data.detectorModel;
  const { detectorModelName, evaluationMethod } = detectorModelConfiguration;
  return { detectorModelName, evaluationMethod, detectorModelDefinition };
}

const SetVariable = z.strictObject({ variableName: z.string().min(1), value: z.string().min(1) });
const SetTimer = z.strictObject({
  timerName: z.string().min(1),
  seconds: z.int().min(1).max(31_622_400).optional(),
  durationExpression: z.string().min(1).optional(),
});
const TimerName = z.strictObject({ timerName: z.string().min(1) });

type Step =
  | { readonly kind: 'variable'; readonly name: string; readonly value: EventExpression }
  | { readonly kind: 'timer'; readonly name: string; readonly seconds: EventExpression }
  | { readonly kind: 'clear' | 'reset'; readonly name: string }
  | { readonly kind: 'tell'; readonly name: string };

interface CompiledEvent {
  readonly name: string;
  readonly condition: EventExpression;
  readonly steps: readonly Step[];
}

interface CompiledTransition extends CompiledEvent {
  readonly nextState: string;
}

interface CompiledState {
  readonly enter: readonly CompiledEvent[];
  readonly input: readonly CompiledEvent[];
  readonly transitions: readonly CompiledTransition[];
  readonly exit: readonly CompiledEvent[];
}

/** A model that is ready to run. */
export interface DetectorModel {
  readonly name: string;
  readonly initialState: string;
  readonly serial: boolean;
  readonly states: ReadonlyMap<string, CompiledState>;
}

/** All that is wrong with a model, each with its place. */
export class DetectorModelError extends Error {
  override readonly name = 'DetectorModelError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the detector model cannot be imported: ${problems.join('; ')}`);
    this.problems = problems;
  }
}

interface ImportOptions {
  /** Actions that become a `told` of the event's name instead of being refused: `sns`, `iotTopicPublish`, … */
  readonly tellInsteadOf?: readonly string[];
}

/** @throws {DetectorModelError} naming each thing that is missing, malformed or not supported, and where it is */
export function importDetectorModel(
  input: unknown,
  { tellInsteadOf = [] }: ImportOptions = {},
): DetectorModel {
  const parsed = Model.safeParse(asCreated(input));
  if (!parsed.success) {
    throw new DetectorModelError(
      parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`),
    );
  }
  const { detectorModelDefinition: definition, evaluationMethod, detectorModelName } = parsed.data;
  const problems: string[] = [];
  const names = new Set(definition.states.map(({ stateName }) => stateName));
  if (names.size < definition.states.length) problems.push('states: two have the same name');
  if (!names.has(definition.initialStateName)) {
    problems.push(`initialStateName: there is no state ${definition.initialStateName}`);
  }
  const compile = compiler(problems, new Set(tellInsteadOf), names);
  const states = new Map(definition.states.map((state) => [state.stateName, compile(state)]));
  if (problems.length > 0) throw new DetectorModelError(problems);
  return {
    name: detectorModelName ?? 'detector',
    initialState: definition.initialStateName,
    serial: evaluationMethod === 'SERIAL',
    states,
  };
}

function compiler(problems: string[], told: ReadonlySet<string>, names: ReadonlySet<string>) {
  const expression = (text: string, where: string): EventExpression => {
    try {
      return compileExpression(text);
    } catch (error) {
      if (!(error instanceof EventExpressionError)) throw error;
      problems.push(`${where}: ${error.message}`);
      return () => UNDEFINED;
    }
  };
  const read = <Value>(
    schema: z.ZodType<Value>,
    value: unknown,
    where: string,
  ): Value | undefined => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    for (const { path, message } of result.error.issues) {
      problems.push(`${[where, ...path].join('.')}: ${message}`);
    }
    return undefined;
  };
  const step = (name: string, value: unknown, event: string, where: string): readonly Step[] => {
    if (name === 'setVariable') {
      const action = read(SetVariable, value, where);
      if (action === undefined) return [];
      return [
        {
          kind: 'variable',
          name: action.variableName,
          value: expression(action.value, `${where}.value`),
        },
      ];
    }
    if (name === 'setTimer') return timer(read(SetTimer, value, where), where);
    if (name === 'clearTimer' || name === 'resetTimer') {
      const action = read(TimerName, value, where);
      const kind = name === 'clearTimer' ? 'clear' : 'reset';
      return action === undefined ? [] : [{ kind, name: action.timerName }];
    }
    if (told.has(name)) return [{ kind: 'tell', name: event }];
    problems.push(`${where}: the action ${name} is not supported`);
    return [];
  };
  const timer = (action: z.infer<typeof SetTimer> | undefined, where: string): readonly Step[] => {
    if (action === undefined) return [];
    const { timerName: name, seconds, durationExpression } = action;
    if ((seconds === undefined) === (durationExpression === undefined)) {
      problems.push(`${where}: wants one of seconds and durationExpression`);
      return [];
    }
    const text = durationExpression ?? String(seconds);
    return [{ kind: 'timer', name, seconds: expression(text, `${where}.durationExpression`) }];
  };
  const event = (of: z.infer<typeof Event>, where: string): CompiledEvent => ({
    name: of.eventName,
    condition: expression(of.condition ?? 'true', `${where}.condition`),
    steps: (of.actions ?? []).flatMap((action, at) =>
      Object.entries(action).flatMap(([name, value]) =>
        step(name, value, of.eventName, `${where}.actions.${at}.${name}`),
      ),
    ),
  });
  const events = (list: readonly z.infer<typeof Event>[] | null | undefined, where: string) =>
    (list ?? []).map((one) => event(one, `${where}.${one.eventName}`));
  return ({ stateName, onEnter, onInput, onExit }: z.infer<typeof State>): CompiledState => ({
    enter: events(onEnter?.events, `${stateName}.onEnter`),
    input: events(onInput?.events, `${stateName}.onInput`),
    exit: events(onExit?.events, `${stateName}.onExit`),
    transitions: (onInput?.transitionEvents ?? []).map((transition) => {
      const where = `${stateName}.onInput.${transition.eventName}`;
      if (transition.condition == null) problems.push(`${where}: a transition wants a condition`);
      if (!names.has(transition.nextState)) {
        problems.push(`${where}: there is no state ${transition.nextState}`);
      }
      return { ...event(transition, where), nextState: transition.nextState };
    }),
  });
}

interface Timer {
  readonly dueMs: number;
  readonly seconds: number;
}

/** One detector: of one device, by one model. Plain JSON. */
export interface Detector {
  readonly state: string;
  readonly variables: Readonly<Record<string, EventValue>>;
  /** Last values by input. */
  readonly inputs: Readonly<Record<string, Readonly<Record<string, EventValue>>>>;
  readonly timers: Readonly<Record<string, Timer>>;
}

/** What a detector did: states entered, and events that told something. */
export interface DetectorOutcome {
  readonly detector: Detector;
  readonly entered: readonly string[];
  readonly told: readonly string[];
}

export interface DetectorInput {
  readonly atMs: number;
  readonly input: string;
  readonly metrics: Readonly<Record<string, number | boolean | string>>;
}

/** A message: a detector that is not there yet enters its first state, and then takes the message. */
export function runDetector(
  model: DetectorModel,
  before: Detector | undefined,
  { atMs, input, metrics }: DetectorInput,
): DetectorOutcome {
  const known = before ?? { state: model.initialState, variables: {}, inputs: {}, timers: {} };
  const values = Object.entries(metrics).map(([name, value]) => [name, eventValue(value)]);
  const inputs = {
    ...known.inputs,
    [input]: { ...known.inputs[input], ...Object.fromEntries(values) },
  };
  const run = new Run(model, { ...known, inputs }, atMs, { input, timers: [] });
  if (before === undefined) run.enter(model.initialState);
  run.evaluate();
  return run.outcome();
}

/** The timers that are due by now; each is a trigger of its own. */
export function runTimers(model: DetectorModel, before: Detector, nowMs: number): DetectorOutcome {
  const due = Object.entries(before.timers).filter(([, { dueMs }]) => dueMs <= nowMs);
  if (due.length === 0) return { detector: before, entered: [], told: [] };
  const timers = Object.fromEntries(
    Object.entries(before.timers).filter(([, { dueMs }]) => dueMs > nowMs),
  );
  const names = due.map(([name]) => name);
  const run = new Run(model, { ...before, timers }, nowMs, { input: undefined, timers: names });
  run.evaluate();
  return run.outcome();
}

const eventValue = (value: number | boolean | string): EventValue =>
  typeof value === 'number'
    ? { type: Number.isInteger(value) ? 'integer' : 'decimal', value }
    : typeof value === 'boolean'
      ? { type: 'boolean', value }
      : { type: 'string', value };

interface Trigger {
  readonly input: string | undefined;
  readonly timers: readonly string[];
}

class Run {
  readonly #model: DetectorModel;
  readonly #atMs: number;
  readonly #scope: EventScope;
  readonly #inputs: Detector['inputs'];
  readonly #entered: string[] = [];
  readonly #told: string[] = [];
  readonly #variables: Map<string, EventValue>;
  readonly #timers: Map<string, Timer>;
  #state: string;

  constructor(model: DetectorModel, before: Detector, atMs: number, trigger: Trigger) {
    this.#model = model;
    this.#atMs = atMs;
    this.#state = before.state;
    this.#inputs = before.inputs;
    this.#variables = new Map(Object.entries(before.variables));
    this.#timers = new Map(Object.entries(before.timers));
    this.#scope = {
      input: (name, path) => this.#inputs[name]?.[path] ?? UNDEFINED,
      variable: (name) => this.#variables.get(name) ?? UNDEFINED,
      timedOut: (timer) => trigger.timers.includes(timer),
      isCurrent: (name) => trigger.input === name,
      trigger: trigger.input === undefined ? 'Timer' : 'Message',
    };
  }

  /** Events of the state, then the first transition that holds. */
  evaluate(): void {
    const state = this.#model.states.get(this.#state);
    if (state === undefined) return;
    this.#perform(state.input);
    const transition = state.transitions.find(({ condition }) => isTrue(condition(this.#scope)));
    if (transition === undefined) return;
    this.#carryOut(transition);
    this.#perform(state.exit);
    this.enter(transition.nextState);
  }

  enter(name: string): void {
    this.#state = name;
    this.#entered.push(name);
    this.#perform(this.#model.states.get(name)?.enter ?? []);
  }

  outcome(): DetectorOutcome {
    return {
      detector: {
        state: this.#state,
        inputs: this.#inputs,
        variables: Object.fromEntries(this.#variables),
        timers: Object.fromEntries(this.#timers),
      },
      entered: this.#entered,
      told: this.#told,
    };
  }

  /** SERIAL: each event sees what the one before has set. BATCH: all conditions hold or not before any is carried out. */
  #perform(events: readonly CompiledEvent[]): void {
    const holds = ({ condition }: CompiledEvent) => isTrue(condition(this.#scope));
    if (!this.#model.serial) {
      for (const event of events.filter(holds)) this.#carryOut(event);
      return;
    }
    for (const event of events) if (holds(event)) this.#carryOut(event);
  }

  #carryOut({ steps }: CompiledEvent): void {
    for (const step of steps) {
      if (step.kind === 'variable') this.#setVariable(step.name, step.value(this.#scope));
      else if (step.kind === 'timer') this.#setTimer(step.name, step.seconds(this.#scope));
      else if (step.kind === 'clear') this.#timers.delete(step.name);
      else if (step.kind === 'reset') this.#resetTimer(step.name);
      else this.#told.push(step.name);
    }
  }

  /** What cannot be computed changes nothing. */
  #setVariable(name: string, value: EventValue): void {
    if (value.type !== 'undefined') this.#variables.set(name, value);
  }

  #setTimer(name: string, value: EventValue): void {
    if (value.type !== 'integer' && value.type !== 'decimal') return;
    const seconds = Math.max(1, Math.round(value.value));
    this.#timers.set(name, { dueMs: this.#atMs + 1000 * seconds, seconds });
  }

  #resetTimer(name: string): void {
    const timer = this.#timers.get(name);
    if (timer === undefined) return;
    this.#timers.set(name, { ...timer, dueMs: this.#atMs + 1000 * timer.seconds });
  }
}
