import type { Registry } from '../../stores/registry.ts';

/** What the gateway reads of the registry; it writes nothing. */
export type RegistryView = Pick<
  Registry,
  | 'certificate'
  | 'caCertificates'
  | 'policiesOf'
  | 'policiesOfTarget'
  | 'connectionContext'
  | 'onChange'
>;
