import { expect, it } from '@jest/globals';
import {
  type Detector,
  type DetectorModelError,
  importDetectorModel,
  runDetector,
  runTimers,
} from '../../../../shared/core/detection/detector-model.ts';

const SNS = { sns: { targetArn: 'arn:aws:sns:eu-central-1:000000000000:alarms' } };

/** Three readings too high make it dangerous; three in order, or ten quiet minutes, make it normal again. */
const model = (evaluationMethod = 'BATCH') => ({
  detectorModelName: 'pressure',
  key: 'motor',
  roleArn: 'arn:aws:iam::000000000000:role/events',
  evaluationMethod,
  detectorModelDefinition: {
    initialStateName: 'Normal',
    states: [
      {
        stateName: 'Normal',
        onEnter: {
          events: [
            {
              eventName: 'init',
              condition: 'true',
              actions: [{ setVariable: { variableName: 'breaches', value: '0' } }],
            },
          ],
        },
        onInput: {
          events: [
            {
              eventName: 'count',
              condition: '$input.motor.pressure > 70',
              actions: [
                { setVariable: { variableName: 'breaches', value: '$variable.breaches + 1' } },
              ],
            },
          ],
          transitionEvents: [
            {
              eventName: 'alarm',
              condition: '$variable.breaches >= 3',
              actions: [],
              nextState: 'Dangerous',
            },
          ],
        },
      },
      {
        stateName: 'Dangerous',
        onEnter: {
          events: [
            { eventName: 'tell', condition: 'true', actions: [SNS] },
            { eventName: 'wait', actions: [{ setTimer: { timerName: 'quiet', seconds: 600 } }] },
          ],
        },
        onInput: {
          events: [
            {
              eventName: 'again',
              condition: 'currentInput("motor") && $input.motor.pressure > 70',
              actions: [{ resetTimer: { timerName: 'quiet' } }],
            },
          ],
          transitionEvents: [
            { eventName: 'calm', condition: 'timeout("quiet")', actions: [], nextState: 'Normal' },
          ],
        },
        onExit: {
          events: [{ eventName: 'clear', actions: [{ clearTimer: { timerName: 'quiet' } }] }],
        },
      },
    ],
  },
});

const started = (pressures: readonly number[]) => {
  const compiled = importDetectorModel(model(), { tellInsteadOf: ['sns'] });
  let detector: Detector | undefined;
  const entered: string[] = [];
  const told: string[] = [];
  pressures.forEach((pressure, at) => {
    const outcome = runDetector(compiled, detector, {
      atMs: 60_000 * at,
      input: 'motor',
      metrics: { pressure },
    });
    detector = structuredClone(outcome.detector);
    entered.push(...outcome.entered);
    told.push(...outcome.told);
  });
  return { compiled, detector: detector as Detector | undefined, entered, told };
};

it('runs an imported model: conditions, variables, states', () => {
  const { entered, told } = started([50, 80, 81, 60, 82]);
  expect(entered).toEqual(['Normal', 'Dangerous']);
  expect(told).toEqual(['tell']);
});

it('runs timers, which messages may reset', () => {
  const { compiled, detector } = started([80, 80, 80, 75]);
  if (detector === undefined) throw new Error('no detector');
  expect(runTimers(compiled, detector, 60_000 * 3 + 599_000).entered).toEqual([]);
  const late = runTimers(compiled, detector, 60_000 * 3 + 600_000);
  expect(late.entered).toEqual(['Normal']);
  expect(late.detector).toMatchObject({ timers: {}, variables: { breaches: { value: 0 } } });
});

it.each([
  {
    form: 'an export',
    input: () => ({
      ...model(),
      key: 'motorid',
      roleArn: 'arn:aws:iam::123456789012:role/x',
      detectorModelDescription: null,
      evaluationMethod: 'SERIAL',
    }),
  },
  {
    form: 'what DescribeDetectorModel answers',
    input: () => ({
      detectorModel: {
        detectorModelDefinition: model().detectorModelDefinition,
        detectorModelConfiguration: {
          detectorModelName: 'pressure',
          evaluationMethod: 'SERIAL',
          key: 'motorid',
          status: 'ACTIVE',
          creationTime: 1_700_000_000,
        },
      },
    }),
  },
])('reads $form', ({ input }) => {
  const imported = importDetectorModel(input(), { tellInsteadOf: ['sns'] });
  expect(imported.serial).toBe(true);
  expect([...imported.states.keys()]).toEqual(['Normal', 'Dangerous']);
});

it('refuses by name what it does not support, all of it at once', () => {
  const broken = structuredClone(model());
  const [normal] = broken.detectorModelDefinition.states;
  Object.assign(normal?.onInput?.transitionEvents[0] ?? {}, {
    condition: 'abs(1) > 0',
    nextState: 'Nowhere',
    actions: [{ lambda: { functionArn: 'x' } }],
  });
  let error: DetectorModelError | undefined;
  try {
    importDetectorModel(broken);
  } catch (caught) {
    error = caught as DetectorModelError;
  }
  expect(error?.problems).toEqual([
    'Normal.onInput.alarm: there is no state Nowhere',
    expect.stringContaining('Normal.onInput.alarm.condition: there is no function abs'),
    'Normal.onInput.alarm.actions.0.lambda: the action lambda is not supported',
    'Dangerous.onEnter.tell.actions.0.sns: the action sns is not supported',
  ]);
});

it.each([
  { input: null, problem: ': Invalid input' },
  { input: {}, problem: 'detectorModelDefinition' },
  {
    input: {
      detectorModelDefinition: {
        states: [{ stateName: 'A', onTimeout: { events: [] } }],
        initialStateName: 'A',
      },
    },
    problem: 'Unrecognized key: "onTimeout"',
  },
  {
    input: { detectorModelDefinition: { states: [{ stateName: 'A' }], initialStateName: 'B' } },
    problem: 'initialStateName: there is no state B',
  },
])('says what is wrong with $input', ({ input, problem }) => {
  expect(() => importDetectorModel(input)).toThrow(problem);
});

it.each([
  { method: 'SERIAL', value: 2 },
  { method: 'BATCH', value: 1 },
])('evaluates $method as AWS does', ({ method, value }) => {
  const set = (text: string) => [{ setVariable: { variableName: 'x', value: text } }];
  const compiled = importDetectorModel({
    evaluationMethod: method,
    detectorModelDefinition: {
      initialStateName: 'S',
      states: [
        {
          stateName: 'S',
          onInput: {
            events: [
              { eventName: 'first', condition: 'isUndefined($variable.x)', actions: set('1') },
              { eventName: 'second', condition: '$variable.x == 1', actions: set('2') },
            ],
          },
        },
      ],
    },
  });
  const { detector } = runDetector(compiled, undefined, { atMs: 0, input: 'i', metrics: {} });
  expect(detector.variables['x']).toEqual({ type: 'integer', value });
});
