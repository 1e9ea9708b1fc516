/**
 * Whose step begins next: so many at a time here and at each peer, so many of one goal, and the goals in turn, so that one with
 * ten thousand steps that are ready does not keep one with a single step waiting. Only steps that reach outside take a turn.
 */

/** Sub-goals of this node at one peer at a time: as many as it is sent streams for. */
export const AT_ONE_PEER_MAX = 16
/** Commands of this node at a time for each of its processors, and with few of them: most commands wait for something else. */
export const HERE_PER_PROCESSOR = 16
export const HERE_LEAST = 32

/** Who asks for a turn. */
export interface Asker {
  readonly goalId: string
  /** Where the step is done: `''` here, else the peer as the program names it. */
  readonly place: string
  /** Steps of the goal that may be done at a time; absent: as many as its program says. */
  readonly most?: number | undefined
  /** It is itself a sub-goal of another node: those before it wait for it, so it does not wait for a place that they may hold. */
  readonly isAwaited?: boolean
}

interface Waiting extends Asker {
  /** What it waits for is there, and counted. */
  go(): void
}

interface Place {
  taken: number
  /** Those who wait, by goal; the goal whose turn is next comes first. */
  readonly queues: Map<string, Set<Waiting>>
}

export class Turns {
  readonly #limits: { readonly here: number; readonly perPeer: number }
  readonly #places = new Map<string, Place>()
  readonly #taken = new Map<string, number>()
  readonly #leaving = new WeakMap<AbortSignal, Set<() => void>>()

  /** @param limits how many at a time here, and at each peer */
  constructor(limits: { readonly here: number; readonly perPeer: number }) {
    this.#limits = limits
  }

  /**
   * Takes a turn, waiting for it if need be.
   * @returns gives it back, to be called once; undefined when `stop` fired before it came
   */
  async take(asker: Asker, stop: AbortSignal): Promise<(() => void) | undefined> {
    const back = (): void => this.#give(asker)
    const place = this.#place(asker.place)
    if (this.#mayGo(asker, place)) {
      this.#count(asker, place, 1)
      return back
    }
    if (stop.aborted) return undefined
    return await new Promise(resolve => {
      const leaving = this.#leavingAt(stop)
      const waiting: Waiting = {
        ...asker,
        go: () => {
          leaving.delete(leave)
          resolve(back)
        }
      }
      const leave = (): void => {
        this.#leave(place, waiting)
        resolve(undefined)
      }
      leaving.add(leave)
      const queue = place.queues.get(asker.goalId)
      if (queue === undefined) place.queues.set(asker.goalId, new Set([waiting]))
      else queue.add(waiting)
    })
  }

  /** What is to be done once `stop` fires: one listener for all steps of a goal that wait. */
  #leavingAt(stop: AbortSignal): Set<() => void> {
    const known = this.#leaving.get(stop)
    if (known !== undefined) return known
    const leaving = new Set<() => void>()
    this.#leaving.set(stop, leaving)
    const leave = (): void => {
      for (const each of leaving) each()
    }
    stop.addEventListener('abort', leave, { once: true })
    return leaving
  }

  #place(name: string): Place {
    let place = this.#places.get(name)
    if (place === undefined) this.#places.set(name, (place = { taken: 0, queues: new Map() }))
    return place
  }

  #mayGo({ goalId, place: name, most, isAwaited }: Asker, { taken }: Place): boolean {
    if ((this.#taken.get(goalId) ?? 0) >= (most ?? Number.POSITIVE_INFINITY)) return false
    if (name === '') return taken < this.#limits.here
    return isAwaited === true || taken < this.#limits.perPeer
  }

  #count({ goalId, place: name }: Asker, place: Place, by: 1 | -1): void {
    place.taken += by
    const taken = (this.#taken.get(goalId) ?? 0) + by
    if (taken > 0) this.#taken.set(goalId, taken)
    else this.#taken.delete(goalId)
    if (place.taken === 0 && place.queues.size === 0) this.#places.delete(name)
  }

  #give(asker: Asker): void {
    const place = this.#place(asker.place)
    this.#count(asker, place, -1)
    this.#serve(place)
    // Its goal may have waited with a step elsewhere, for one of its own to end.
    for (const other of this.#places.values()) if (other !== place && other.queues.has(asker.goalId)) this.#serve(other)
  }

  /** The first goal that may go has its turn, and comes last after it. */
  #serve(place: Place): void {
    for (const [goalId, queue] of place.queues) {
      const next = queue.values().next().value!
      if (!this.#mayGo(next, place)) continue
      queue.delete(next)
      place.queues.delete(goalId)
      if (queue.size > 0) place.queues.set(goalId, queue)
      this.#count(next, place, 1)
      next.go()
      return
    }
  }

  #leave({ queues }: Place, waiting: Waiting): void {
    const queue = queues.get(waiting.goalId)
    queue?.delete(waiting)
    if (queue?.size === 0) queues.delete(waiting.goalId)
  }
}
