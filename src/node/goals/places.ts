/** So many places for work at a time; who finds none waits, in order. */
export class Places {
  readonly #waiting: (() => void)[] = []
  #left: number

  constructor(count: number) {
    this.#left = count
  }

  /** Takes a place. Whoever is asked to stop while waiting gets one at once, to come to its end. */
  async take(stop: AbortSignal): Promise<void> {
    if (this.#left <= 0 && !stop.aborted) {
      await new Promise<void>(resolve => {
        const go = (): void => {
          stop.removeEventListener('abort', leave)
          resolve()
        }
        const leave = (): void => {
          this.#waiting.splice(this.#waiting.indexOf(go), 1)
          go()
        }
        this.#waiting.push(go)
        stop.addEventListener('abort', leave, { once: true })
      })
    }
    this.#left--
  }

  /** Gives a place back. */
  give(): void {
    this.#left++
    if (this.#left > 0) this.#waiting.shift()?.()
  }

  /** Waits for something that may itself need a place, such as a sub-goal: ours is free meanwhile. */
  async aside<T>(wait: () => Promise<T>, stop: AbortSignal): Promise<T> {
    this.give()
    try {
      return await wait()
    } finally {
      await this.take(stop)
    }
  }
}
