/** So many runs in a row that cost a whole budget, and a codec or a device has to wait. */
const LIMIT = 3;
const PAUSE_MS = 60_000;
const REMEMBERED = 10_000;

interface Strikes {
  count: number;
  untilMs: number;
}

/**
 * Keeps who costs a whole budget each time from costing others theirs: a container decodes one message after another.
 * What succeeds in between, or fails cheaply, clears the count; so a codec that only some payloads overtax goes on,
 * and the device that sends them is stopped.
 */
export class Breaker {
  readonly #strikes = new Map<string, Strikes>();

  isOpen(name: string, nowMs: number): boolean {
    return (this.#strikes.get(name)?.untilMs ?? 0) > nowMs;
  }

  cheap(name: string): void {
    this.#strikes.delete(name);
  }

  costly(name: string, nowMs: number): void {
    const count = (this.#strikes.get(name)?.count ?? 0) + 1;
    const untilMs = count >= LIMIT ? nowMs + PAUSE_MS : 0;
    this.#strikes.delete(name);
    this.#strikes.set(name, { count, untilMs });
    const [oldest] = this.#strikes.keys();
    if (this.#strikes.size > REMEMBERED && oldest !== undefined) this.#strikes.delete(oldest);
  }
}
