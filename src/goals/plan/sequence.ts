/** What the next part of each goal comes after: in a plan one after the other, but for what may be done side by side. */

/** Told of each side of a block, and of its end. */
export interface Sides {
  begins(): void
  ended(): void
  over(): void
}

/** Most parts that one part is said to come after: behind a block with more sides only the last is named, or a plan could have millions. */
const AFTER_MAX = 16
const NOTHING: readonly string[] = []

export class Sequence {
  readonly #last = new Map<string, readonly string[]>()

  /** What the next part of the goal comes after. */
  after(goal: string | undefined): readonly string[] {
    return (goal === undefined ? undefined : this.#last.get(goal)) ?? NOTHING
  }

  ended(goal: string, part: string): void {
    this.#last.set(goal, [part])
  }

  /** @param most sides that may be under way at a time: the next one takes the place of the one so many before it */
  sideBySide(goal: string, most: number): Sides {
    const before = this.after(goal)
    const ends: (readonly string[])[] = []
    return {
      begins: () => void this.#last.set(goal, ends.length < most ? before : ends[ends.length - most]!),
      ended: () => void ends.push(this.after(goal)),
      over: () => {
        if (ends.length === 0) return
        const last = [...new Set(ends.slice(-most).flat())]
        this.#last.set(goal, last.length > AFTER_MAX ? last.slice(-1) : last)
      }
    }
  }
}
