/**
 * The breaker of automatic corrections: one that did not help several goals in a row is not tried for the next ones, which wait for a
 * person at once, until some time has passed. It is in memory: a new daemon tries anew.
 */

/** Goals in a row that a correction did not help: the cause is something that it does not put right. */
export const UNHELPED_MAX = 5
/** How long it is not tried then, in milliseconds; after that one goal finds out whether it helps again. */
export const OPEN_FOR_MS = 600_000

interface Circuit {
  unhelped: number
  /** Epoch milliseconds: until when it is not tried. */
  openUntil: number
}

export class Circuits {
  readonly #circuits = new Map<string, Circuit>()

  /** Whether the corrections of `method` (program, goal and name) are not to be tried at `now`. The first to ask after the time is over may try. */
  isOpen(method: string, now: number): boolean {
    const circuit = this.#circuits.get(method)
    if (circuit === undefined || circuit.unhelped < UNHELPED_MAX) return false
    if (now < circuit.openUntil) return true
    circuit.openUntil = now + OPEN_FOR_MS
    return false
  }

  /** A goal was corrected, and its method went through after that, or did not. */
  ended(method: string, helped: boolean, now: number): void {
    if (helped) this.#circuits.delete(method)
    else this.#circuits.set(method, { unhelped: (this.#circuits.get(method)?.unhelped ?? 0) + 1, openUntil: now + OPEN_FOR_MS })
  }
}
