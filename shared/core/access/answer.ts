import type { PolicyDocument } from './device-documents.ts';

/** @see AWS IoT Core Developer Guide, "Defining your Lambda function"; General Reference, custom authentication */
export interface Answer {
  readonly isAuthenticated: boolean;
  readonly principalId: string;
  readonly disconnectAfterInSeconds: number;
  readonly refreshAfterInSeconds: number;
  readonly policyDocuments: readonly PolicyDocument[];
}

export const SECONDS = { least: 300, most: 86_400 } as const;
const PRINCIPAL = /^[a-zA-Z0-9]{1,128}$/;
const DOCUMENTS = 10;
const DOCUMENT_CHARS = 2_048;

/** No, within the contract: an answer that broke it would be an error of ours instead of a refusal. */
export const REFUSAL: Answer = {
  isAuthenticated: false,
  principalId: 'refused',
  disconnectAfterInSeconds: SECONDS.least,
  refreshAfterInSeconds: SECONDS.least,
  policyDocuments: [],
};

/**
 * Yes. The connection ends with the credential, five minutes after it at the latest, as AWS takes no shorter time;
 * and the question comes again after `refreshSeconds`, when an ended or revoked credential is refused.
 *
 * @throws {Error} when it would break the contract
 */
export function acceptance(
  principalId: string,
  policyDocuments: readonly PolicyDocument[],
  times: {
    readonly nowMs: number;
    readonly expiresAtMs: number | undefined;
    readonly refreshSeconds: number;
  },
): Answer {
  const { nowMs, expiresAtMs = Number.POSITIVE_INFINITY, refreshSeconds } = times;
  const left = Math.floor((expiresAtMs - nowMs) / 1000);
  return checked({
    isAuthenticated: true,
    principalId,
    disconnectAfterInSeconds: Math.min(SECONDS.most, Math.max(SECONDS.least, left)),
    refreshAfterInSeconds: refreshSeconds,
    policyDocuments,
  });
}

function checked(answer: Answer): Answer {
  const { principalId, refreshAfterInSeconds: refresh, policyDocuments } = answer;
  if (!PRINCIPAL.test(principalId)) throw new Error('principalId is not [a-zA-Z0-9]{1,128}');
  if (refresh < SECONDS.least || refresh > SECONDS.most) {
    throw new Error(`refresh is not ${SECONDS.least} to ${SECONDS.most} s`);
  }
  if (policyDocuments.length > DOCUMENTS) throw new Error('there are more than 10 documents');
  if (policyDocuments.some((one) => JSON.stringify(one).length > DOCUMENT_CHARS)) {
    throw new Error(`a document has more than ${DOCUMENT_CHARS} characters`);
  }
  return answer;
}
