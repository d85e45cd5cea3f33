import { describe, expect, it } from '@jest/globals';
import { LogLevel, ResourceName, readEnvironment } from '../../../shared/lambda/environment.ts';

const shape = { DEVICES_TABLE: ResourceName, LOG_LEVEL: LogLevel };

describe('the environment', () => {
  it('is what was asked for, with defaults', () => {
    expect(readEnvironment(shape, { DEVICES_TABLE: 'devices', HOME: '/root' })).toEqual({
      DEVICES_TABLE: 'devices',
      LOG_LEVEL: 'info',
    });
  });

  it('is refused with every variable that is wrong and what it wants, without its value', () => {
    expect(() => readEnvironment(shape, { DEVICES_TABLE: '', LOG_LEVEL: 'loud' })).toThrow(
      'environment: DEVICES_TABLE: wants the name of a resource; LOG_LEVEL: wants debug, info, warn or error',
    );
    expect(() => readEnvironment(shape, {})).toThrow('DEVICES_TABLE: wants the name of a resource');
  });
});
