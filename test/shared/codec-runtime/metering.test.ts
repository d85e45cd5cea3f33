import { describe, expect, it } from '@jest/globals';
import { meter } from '../../../shared/codec-runtime/engine/metering.ts';

/*
 * (import "env" "tick" (func (result i32)))      (memory (export "memory") 1)
 * (global (mut i32) 5)                           (func (export "spin") (param i32) a loop of so many rounds)
 * (func (export "copy") (param i32) memory.copy of so many bytes)
 */
const section = (id: number, bytes: readonly number[]): number[] => [id, bytes.length, ...bytes];
const text = (name: string): number[] => [name.length, ...Buffer.from(name)];
const body = (code: readonly number[]): number[] => [code.length, ...code];

const SPIN = [0, 0x03, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x0b];
const COPY = [0, 0x41, 0, 0x41, 0, 0x20, 0, 0xfc, 10, 0, 0, 0x0b];

const MODULE = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [2, 0x60, 0, 1, 0x7f, 0x60, 1, 0x7f, 0]),
  ...section(2, [1, ...text('env'), ...text('tick'), 0, 0]),
  ...section(3, [2, 1, 1]),
  ...section(5, [1, 0, 1]),
  ...section(6, [1, 0x7f, 1, 0x41, 5, 0x0b]),
  ...section(7, [3, ...text('memory'), 2, 0, ...text('spin'), 0, 1, ...text('copy'), 0, 2]),
  ...section(10, [2, ...body(SPIN), ...body(COPY)]),
]);

const PLAN = {
  outOfFuel: { module: 'env', name: 'tick' },
  fuelName: 'fuel',
  memoryLimitPages: 2,
};

function start(fuel: number) {
  const out = new Error('out of fuel');
  const module = new WebAssembly.Module(meter(MODULE, PLAN));
  const tick = (): number => {
    throw out;
  };
  const { exports } = new WebAssembly.Instance(module, { env: { tick } });
  const left = exports['fuel'] as WebAssembly.Global;
  left.value = fuel;
  const memory = exports['memory'] as WebAssembly.Memory;
  const call = (name: string, value: number): void =>
    (exports[name] as (value: number) => void)(value);
  return { call, left, memory, out };
}

describe('a metered module', () => {
  it('pays a unit for each call and each round of a loop', () => {
    const { call, left } = start(1000);
    call('spin', 10);
    expect(left.value).toBe(1000 - 1 - 10);
  });

  it('pays a unit for each 64 bytes of a bulk operation', () => {
    const { call, left } = start(1000);
    call('copy', 6400);
    expect(left.value).toBe(1000 - 1 - 100);
  });

  it.each([
    { name: 'spin', value: 1_000_000_000 },
    { name: 'copy', value: 65_536 },
  ])('cannot $name when the fuel is out', ({ name, value }) => {
    const { call, out } = start(100);
    expect(() => call(name, value)).toThrow(out);
  });

  it('cannot grow its memory beyond the limit', () => {
    const { memory } = start(0);
    memory.grow(1);
    expect(() => memory.grow(1)).toThrow(RangeError);
  });

  it('is refused without the import that ends it', () => {
    const plan = { ...PLAN, outOfFuel: { module: 'env', name: 'tock' } };
    expect(() => meter(MODULE, plan)).toThrow('the WebAssembly module does not import env.tock');
  });

  it('is refused with an instruction that the walk does not know', () => {
    const at = MODULE.lastIndexOf(0xfc);
    const vectors = MODULE.with(at, 0xfd);
    expect(() => meter(vectors, PLAN)).toThrow('unknown WebAssembly instruction 253');
  });
});
