import type { Key } from '../keys.ts';

/** Keys of the table `credentials`; no name, id or number in them holds `#`. */
export const secretKey = (id: string): Key => ({ pk: `secret#${id}`, sk: 'secret' });

/** The secrets of a thing, to list or revoke them. */
export const ownedSecretKey = (thing: string, id: string): Key => ({
  pk: `thing#${thing}`,
  sk: `secret#${id}`,
});

export const pepperKey = (version: number): Key => ({
  pk: 'pepper',
  sk: String(version).padStart(6, '0'),
});

/** Present while a thing moves from one certificate to the next. */
export const rotationKey = (thing: string): Key => ({ pk: `thing#${thing}`, sk: 'rotation' });

/** A device that is expected to claim an identity, by the serial number it was built with. */
export const enrolmentKey = (serial: string): Key => ({ pk: `serial#${serial}`, sk: 'enrolment' });

export const expiryKey = (certificateId: string): Key => ({
  pk: `certificate#${certificateId}`,
  sk: 'expiry',
});

/** How far the expiry watch has come. */
export const PASS_KEY: Key = { pk: 'expiry-watch', sk: 'pass' };
