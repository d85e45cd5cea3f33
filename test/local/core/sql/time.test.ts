import { describe, expect, it } from '@jest/globals';
import { formatTime } from '../../../../local/core/sql/time/format-time.ts';
import { parseTime } from '../../../../local/core/sql/time/parse-time.ts';
import { UTC, zoneOf } from '../../../../local/core/sql/time/zone.ts';

const JUNE_MS = Date.UTC(2025, 5, 15, 15, 6, 40, 7);

describe('writing by a Joda-Time pattern', () => {
  it.each([
    ['yyyy-MM-dd HH:mm:ss.SSS', '2025-06-15 15:06:40.007'],
    ['y M d H m s S', '2025 6 15 15 6 40 0'],
    ['SSSSS', '00700'],
    ['yy YYYY CC G', '25 2025 20 AD'],
    ['MMM MMMM E EEEE', 'Jun June Sun Sunday'],
    ['D DDDD w xxxx e', '166 0166 24 2025 7'],
    ['h K k a', '3 3 15 PM'],
    ["'year' yyyy ''yy", "year 2025 '25"],
    ['z zzzz Z ZZ ZZZ', 'UTC Coordinated Universal Time +0000 +00:00 UTC'],
    ['', ''],
    ['日 d', '日 15'],
  ])('%s', (pattern, written) => {
    expect(formatTime(pattern, JUNE_MS, UTC)).toBe(written);
  });

  it.each([
    ['Europe/Berlin', '17:06 CEST +0200'],
    ['America/New_York', '11:06 EDT -0400'],
    ['Asia/Kolkata', '20:36 IST +0530'],
    ['-03:30', '11:36 -03:30 -0330'],
    ['UTC+01:00', '16:06 +01:00 +0100'],
  ])('in %s', (id, written) => {
    expect(formatTime('HH:mm z Z', JUNE_MS, zoneOf(id) ?? UTC)).toBe(written);
  });

  it.each([['q'], ['yyyy I'], ["'open"], ['b']])('refuses %s', (pattern) => {
    expect(formatTime(pattern, JUNE_MS, UTC)).toBeUndefined();
  });

  it.each([[Number.POSITIVE_INFINITY], [Number.NaN], [8.64e15]])('refuses %s', (atMs) => {
    expect(formatTime('yyyy', atMs, UTC)).toBeUndefined();
  });
});

describe('reading by a java.time pattern', () => {
  it.each([
    ['2025-06-15 15:06:40.007', 'yyyy-MM-dd HH:mm:ss.SSS', JUNE_MS],
    ['15.6.2025', 'd.M.yyyy', Date.UTC(2025, 5, 15)],
    ['0001-01-01 AD', 'yyyy-MM-dd G', Date.parse('0001-01-01T00:00:00Z')],
    ['0001-01-01 BC', 'yyyy-MM-dd G', Date.parse('0000-01-01T00:00:00Z')],
    ['-0001-01-01', 'uuuu-MM-dd', Date.parse('-000001-01-01T00:00:00Z')],
    ['2025-02-31', 'yyyy-MM-dd', Date.UTC(2025, 1, 28)],
    ['2025-06-15 24:00', 'yyyy-MM-dd HH:mm', Date.UTC(2025, 5, 16)],
    ['2025-06-15 24', 'yyyy-MM-dd kk', Date.UTC(2025, 5, 15)],
    ['12 AM 15 Jun 2025', 'hh a dd MMM yyyy', Date.UTC(2025, 5, 15)],
    ['0 PM 15 Jun 2025', 'K a dd MMM yyyy', Date.UTC(2025, 5, 15, 12)],
    ['2025-06-15 3600000', 'yyyy-MM-dd A', Date.UTC(2025, 5, 15, 1)],
    ['2025-06-15 1000000000', 'yyyy-MM-dd N', Date.UTC(2025, 5, 15, 0, 0, 1)],
    ['2025-06-15 01:02:03.5', 'yyyy-MM-dd HH:mm:ss[.SSS][.S]', Date.UTC(2025, 5, 15, 1, 2, 3, 500)],
    ['2025-06-15 01:00Z', 'yyyy-MM-dd HH:mmX', Date.UTC(2025, 5, 15, 1)],
    ['2025-06-15 01:00-0330', 'yyyy-MM-dd HH:mmxx', Date.UTC(2025, 5, 15, 4, 30)],
    ['2025-06-15 01:00 GMT+2', 'yyyy-MM-dd HH:mm O', Date.UTC(2025, 5, 14, 23)],
    ['2025-06-15 01:00 +02:00', 'yyyy-MM-dd HH:mm ZZZZZ', Date.UTC(2025, 5, 14, 23)],
    ['2025-01-15 01:00 PST', 'yyyy-MM-dd HH:mm z', Date.UTC(2025, 0, 15, 9)],
    // spring forward: 02:30 does not exist and counts as 03:30
    ['2025-03-30 02:30 Europe/Berlin', 'yyyy-MM-dd HH:mm VV', Date.UTC(2025, 2, 30, 1, 30)],
    // fall back: 02:30 comes twice and means the first
    ['2025-10-26 02:30 Europe/Berlin', 'yyyy-MM-dd HH:mm VV', Date.UTC(2025, 9, 26, 0, 30)],
  ])('%s by %s', (text, pattern, atMs) => {
    expect(parseTime(text, pattern)).toBe(atMs);
  });

  it.each([
    ['2025-06-15', 'yyyy-MM'],
    ['2025-06', 'yyyy-MM-dd'],
    ['2025-06', 'yyyy-MM'],
    ['2025-00-15', 'yyyy-MM-dd'],
    ['2025-06-32', 'yyyy-MM-dd'],
    ['2025-366', 'yyyy-DDD'],
    ['2025-06-15 3', 'yyyy-MM-dd h'],
    ['2025-06-15 13 PM', 'yyyy-MM-dd hh a'],
    ['2025-06-15 00:60', 'yyyy-MM-dd HH:mm'],
    ['2025-06-15 24:01', 'yyyy-MM-dd HH:mm'],
    ['2025-06-15 Mon', 'yyyy-MM-dd EEE'],
    ['2025 2026-06-15', 'yyyy yyyy-MM-dd'],
    ['2025-06-15 Mars/Base', 'yyyy-MM-dd VV'],
    ['2025-06-15 +25:00', 'yyyy-MM-dd XXX'],
    ['2025-06-15', 'YYYY-MM-dd'],
    ['2025-06-15', "yyyy-MM-dd'"],
    ['2025-06-15', 'yyyy-MM-dd]'],
    ['2025-06-15', 'yyyy-MM-dd{'],
    ['２０２５-06-15', 'yyyy-MM-dd'],
    ['2025-06-15', '['.repeat(50)],
  ])('refuses %s by %s', (text, pattern) => {
    expect(parseTime(text, pattern)).toBeUndefined();
  });
});
