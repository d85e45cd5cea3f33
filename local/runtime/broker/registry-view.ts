import type { X509Certificate } from 'node:crypto';
import type { Registry } from '../../stores/registry.ts';

/** What the gateway reads of the registry, and the one thing it tells it. */
export type RegistryView = Pick<
  Registry,
  | 'certificate'
  | 'caCertificates'
  | 'policiesOf'
  | 'policiesOfTarget'
  | 'connectionContext'
  | 'thingContext'
  | 'onChange'
> & {
  /**
   * Takes in a certificate that waits to be let in, and announces it.
   * @returns whether it may have another state now
   */
  readonly meet?: (certificate: X509Certificate) => boolean;
};
