/** What the laptop has counted since it started. */
export interface Tally {
  /** Messages the gateway accepted, by transport: `mqtt`, `https` … */
  readonly messages: Readonly<Record<string, number>>;
  readonly readings: Readonly<Record<string, number>>;
  readonly deadLetters: number;
  /** Anomalies that are open. */
  readonly anomalies: number;
  readonly errorActions: number;
  readonly refused: number;
}

const figure = new Intl.NumberFormat('en-US');

const byTransport = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([transport, count]) => `${transport} ${figure.format(count)}`)
    .join(', ') || 'none yet';

/** One line: what came in and what became of it. */
export function statusLine({
  messages,
  readings,
  deadLetters,
  anomalies,
  errorActions,
  refused,
}: Tally): string {
  const parts = [
    `in: ${byTransport(messages)}`,
    `stored: ${byTransport(readings)}`,
    `dead letters: ${figure.format(deadLetters)}`,
  ];
  if (anomalies > 0) parts.push(`anomalies: ${figure.format(anomalies)}`);
  if (errorActions > 0) parts.push(`error actions: ${figure.format(errorActions)}`);
  if (refused > 0) parts.push(`refused: ${figure.format(refused)}`);
  return parts.join(' · ');
}

/** Cuts a line to the screen's width, so that refreshing it never scrolls. */
export const fitted = (line: string, columns: number): string =>
  line.length < columns ? line : `${line.slice(0, Math.max(0, columns - 2))}…`;
