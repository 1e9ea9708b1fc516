/** Goals at a steady rate, and what they found: how soon each was accepted, and whether the node kept up. */
import { setTimeout as pause } from 'node:timers/promises'

/** What a node made of a steady rate. */
export interface Held {
  readonly goals: number
  /** Goals a second that were accepted, from the first to the last. */
  readonly rate: number
  /** Milliseconds from asking to being accepted, durably. */
  readonly acceptP50: number
  readonly acceptP99: number
  /** From the last acceptance to the last goal's end, in milliseconds: a node that keeps up has little left to do. */
  readonly restMs: number
}

/**
 * Asks for `perSecond` goals a second for `seconds`, each at its time whether or not the ones before were accepted.
 * @param accept resolves when one is accepted
 * @param idle resolves when none is left
 */
export async function hold(
  perSecond: number,
  seconds: number,
  accept: (number: number) => Promise<unknown>,
  idle: () => Promise<void>
): Promise<Held> {
  const took: number[] = []
  const began = performance.now()
  const asked: Promise<void>[] = []
  for (let number = 0; number < perSecond * seconds; number++) {
    const due = began + (number * 1_000) / perSecond
    const early = due - performance.now()
    if (early > 1) await pause(early)
    const from = performance.now()
    asked.push(accept(number).then(() => void took.push(performance.now() - from)))
  }
  await Promise.all(asked)
  const accepted = performance.now()
  await idle()
  took.sort((a, b) => a - b)
  const at = (part: number): number => Math.round((took[Math.min(took.length - 1, Math.floor(took.length * part))] ?? 0) * 10) / 10
  return {
    goals: took.length,
    rate: Math.round((took.length * 10_000) / (accepted - began)) / 10,
    acceptP50: at(0.5),
    acceptP99: at(0.99),
    restMs: Math.round(performance.now() - accepted)
  }
}
