/** Keeps a connection to every neighbour, and never gives up on one. */
import { CloudburstError } from '../../errors.ts'
import { RETRY_DENIED_MS, RETRY_FIRST_MS, RETRY_MAX_MS, STABLE_MS } from './limits.ts'

export interface SupervisorOptions {
  /** Resolves once the peer has answered our hello. */
  readonly connect: (peer: string) => Promise<void>
  /** Resolves when no greeted connection to the peer is left. */
  readonly untilDown: (peer: string, signal: AbortSignal) => Promise<void>
  readonly onFailure: (peer: string, error: unknown) => void
  readonly now: () => number
  /** Between 0 and 1. */
  readonly random: () => number
}

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #loops = new Map<string, AbortController>()
  readonly #sleepers = new Map<string, () => void>()

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  /** Watches exactly these peers from now on. */
  watch(peers: readonly string[]): void {
    for (const [peer, loop] of this.#loops) {
      if (peers.includes(peer)) continue
      this.#loops.delete(peer)
      loop.abort()
      this.wake(peer)
    }
    for (const peer of peers) {
      if (this.#loops.has(peer)) continue
      const loop = new AbortController()
      this.#loops.set(peer, loop)
      void this.#keep(peer, loop.signal)
    }
  }

  /** Tries again now: there is news of this peer, or of all. */
  wake(peer?: string): void {
    for (const [sleeping, wake] of this.#sleepers) if (peer === undefined || peer === sleeping) wake()
  }

  stop(): void {
    this.watch([])
  }

  async #keep(peer: string, signal: AbortSignal): Promise<void> {
    const { connect, untilDown, onFailure, now } = this.#options
    let delay = RETRY_FIRST_MS
    while (!signal.aborted) {
      const began = now()
      let denied = false
      try {
        await connect(peer)
        await untilDown(peer, signal)
      } catch (error) {
        if (signal.aborted) return
        denied = error instanceof CloudburstError && error.code === 'CB_DENIED'
        onFailure(peer, error)
      }
      const wasStable = now() - began > STABLE_MS && !denied
      delay = wasStable ? RETRY_FIRST_MS : Math.min(RETRY_MAX_MS, delay * 2)
      if (!signal.aborted) await this.#sleep(peer, this.#jittered(denied ? Math.max(delay, RETRY_DENIED_MS) : delay))
    }
  }

  /** Half to one and a half times as long, so that nodes that lost one peer together do not come back together. */
  #jittered(ms: number): number {
    return ms * (0.5 + this.#options.random())
  }

  #sleep(peer: string, ms: number): Promise<void> {
    return new Promise(resolve => {
      const awake = (): void => {
        clearTimeout(timer)
        this.#sleepers.delete(peer)
        resolve()
      }
      const timer = setTimeout(awake, ms).unref()
      this.#sleepers.set(peer, awake)
    })
  }
}
