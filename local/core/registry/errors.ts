/** The codes of AWS IoT's control plane, each with its HTTP status. */
export const STATUS_OF = {
  CertificateConflictException: 409,
  CertificateStateException: 406,
  CertificateValidationException: 400,
  DeleteConflictException: 409,
  InvalidRequestException: 400,
  LimitExceededException: 410,
  MalformedPolicyException: 400,
  NotConfiguredException: 404,
  RegistrationCodeValidationException: 400,
  ResourceAlreadyExistsException: 409,
  ResourceNotFoundException: 404,
  ResourceRegistrationFailureException: 400,
  TaskAlreadyExistsException: 400,
  VersionConflictException: 409,
  VersionsLimitExceededException: 409,
} as const;

export type RegistryErrorCode = keyof typeof STATUS_OF;

/** A call that the registry refuses as AWS would; `details` become members of the error's body. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: RegistryErrorCode;
  readonly details: Readonly<Record<string, string>>;

  constructor(
    code: RegistryErrorCode,
    message: string,
    details: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

export const notFound = (what: string, name: string): RegistryError =>
  new RegistryError('ResourceNotFoundException', `${what} "${name}" does not exist`);

/** @throws {RegistryError} `ResourceNotFoundException` */
export function found<T>(value: T | undefined, what: string, name: string): T {
  if (value === undefined) throw notFound(what, name);
  return value;
}

const NAMES = {
  'thing name': /^[a-zA-Z0-9:_-]{1,128}$/,
  'thing type name': /^[a-zA-Z0-9:_-]{1,128}$/,
  'thing group name': /^[a-zA-Z0-9:_-]{1,128}$/,
  'policy name': /^[\w+=,.@-]{1,128}$/,
  'attribute name': /^[a-zA-Z0-9_.,@/:#-]{1,128}$/,
  'attribute value': /^[a-zA-Z0-9_.,@/:#-]{0,800}$/,
} as const;

/** @throws {RegistryError} `InvalidRequestException`, with the pattern the name must have */
export function checkName(what: keyof typeof NAMES, name: string): void {
  if (!NAMES[what].test(name))
    throw new RegistryError(
      'InvalidRequestException',
      `${JSON.stringify(name)} is not a ${what}: it must match ${NAMES[what].source}`,
    );
}
