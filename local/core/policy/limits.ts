/**
 * Quotas on policies of devices.
 *
 * @see AWS General Reference, "AWS IoT Core endpoints and quotas"
 */
export const POLICY_LIMITS = {
  /** Characters of a document, white space not counted. */
  size: 2048,
  versions: 5,
  /** Policies on one certificate or Cognito identity, and documents in an authorizer's answer. */
  perPrincipal: 10,
} as const;

/** The length of a policy document as its quota counts it. */
export const countedLength = (document: string | object): number => {
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  return text.replace(/\s/g, '').length;
};
