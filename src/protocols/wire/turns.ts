/**
 * Several conversations over one channel, one after the other, so that the next one need not wait for a stream to be
 * opened. The asking end begins a turn with its first message; the answering end ends it with `over`, and the asking end
 * begins no other before it has heard that. Who wants to leave in the middle ends the channel. Spec: ./README.md, "Turns"
 */
import { CloudburstError } from '../../errors.ts'
import type { Caller, Channel, Handler } from './channel.ts'

/** The answering end keeps a channel open this long for the next turn, in milliseconds; longer than the asking end ({@link KEPT_MS}). */
export const WAITED_MS = 60_000
/** The asking end keeps a channel this long between two turns, in milliseconds. */
export const KEPT_MS = 30_000
/** Time for the answering end's `over` when all else is said, and for its first answer on a channel that was kept, in milliseconds. */
export const ANSWER_MS = 5_000

const OVER = { type: 'over' } as const

/**
 * Serves turn after turn on one channel; `serve` sees each as a channel of its own, which it need not finish.
 * @param serve resolves with whether another turn may follow; otherwise the channel ends
 */
export function inTurns(serve: (channel: Channel, caller: Caller) => Promise<boolean>): Handler {
  return async (raw, caller) => {
    const incoming = new Incoming(raw)
    do {
      const turn = answeringTurn(raw, incoming)
      try {
        if (!(await serve(turn.channel, caller)) || raw.closed.aborted) break
        await turn.channel.finish()
        await raw.write(OVER)
      } finally {
        turn.end()
      }
    } while (await another(incoming))
    await raw.finish()
  }
}

/** A channel that is asked over, again and again. */
export interface AskedChannel {
  /**
   * The next turn. Its `finish` gives the channel back, its `abort` ends the channel unless it was given back.
   * @param onFree called when the turn is over and the next may begin
   */
  turn(onFree: () => void): Channel
  /** While no turn is under way: ends the channel when the other end does, or speaks out of turn. Call it after `onFree`. */
  rest(): void
  end(reason: Error): void
  readonly closed: AbortSignal
}

/**
 * The asking end of `raw`.
 * @param answerMs as {@link ANSWER_MS}
 */
export function asking(raw: Channel, answerMs = ANSWER_MS): AskedChannel {
  const incoming = new Incoming(raw)
  let turns = 0
  let resting = false
  return {
    closed: raw.closed,
    end: reason => raw.abort(reason),
    turn: onFree => {
      resting = false
      return askingTurn(raw, incoming, { kept: turns++ > 0, answerMs, onFree })
    },
    rest: () => {
      resting = true
      const watch = (): void =>
        void incoming.peek().then(
          message => {
            if (!resting) return
            if (message === undefined) return void raw.finish().catch(() => undefined)
            incoming.take()
            if (typeOf(message) === 'heartbeat') watch()
            else raw.abort(against(raw, 'it spoke out of turn'))
          },
          () => undefined
        )
      watch()
    }
  }
}

/** What comes in: looked at before it is taken, so that a reader who has gone takes nothing from the next one. */
class Incoming {
  readonly #raw: Channel
  #next: Promise<unknown> | undefined

  constructor(raw: Channel) {
    this.#raw = raw
  }

  peek(): Promise<unknown> {
    this.#next ??= this.#raw.read()
    return this.#next
  }

  take(): void {
    this.#next = undefined
  }
}

function answeringTurn(raw: Channel, incoming: Incoming): { readonly channel: Channel; readonly end: () => void } {
  const state = turnState(raw)
  return {
    end: state.end,
    channel: {
      peer: raw.peer,
      closed: state.closed,
      async write(message) {
        if (state.over) throw against(raw, 'its turn is over')
        await raw.write(message)
      },
      async read() {
        if (state.over) return undefined
        const message = await incoming.peek()
        if (state.over) return undefined
        if (message !== undefined) incoming.take()
        return message
      },
      finish: () => {
        state.over = true
        return Promise.resolve()
      },
      abort: reason => raw.abort(reason)
    }
  }
}

interface Asking {
  /** The channel has had a turn before. */
  readonly kept: boolean
  readonly answerMs: number
  readonly onFree: () => void
}

function askingTurn(raw: Channel, incoming: Incoming, { kept, answerMs, onFree }: Asking): Channel {
  const state = turnState(raw)
  let left = false
  let asked = false
  let silent: NodeJS.Timeout | undefined
  const within = (): NodeJS.Timeout => setTimeout(() => raw.abort(unanswered(raw, answerMs)), answerMs).unref()

  const next = async (): Promise<unknown> => {
    const message = await incoming.peek()
    clearTimeout(silent)
    if (message === undefined) return undefined
    incoming.take()
    if (typeOf(message) !== 'over') return message
    state.over = true
    return undefined
  }
  /** Nothing is asked any more: what still comes is passed over. */
  const leave = async (): Promise<void> => {
    const late = within()
    try {
      while (!state.over) if ((await next()) === undefined && !state.over) return await raw.finish()
      onFree()
    } catch {
      // It is gone, and nobody waits for it.
    } finally {
      clearTimeout(late)
      state.end()
    }
  }
  return {
    peer: raw.peer,
    closed: state.closed,
    async write(message) {
      if (left || state.over) throw against(raw, 'its turn is over')
      // A line that was cut meanwhile is noticed as soon as with a stream that is opened anew.
      if (kept && !asked) silent = within()
      asked = true
      await raw.write(message)
    },
    read: async () => (left || state.over ? undefined : await next()),
    finish: () => {
      clearTimeout(silent)
      if (!left) void leave()
      left = true
      return Promise.resolve()
    },
    abort: reason => {
      clearTimeout(silent)
      if (!left) raw.abort(reason)
      left = true
      state.end()
    }
  }
}

/** Whether a turn is over, and a signal of its own: one of the channel would collect listeners turn after turn. */
function turnState(raw: Channel): { over: boolean; readonly closed: AbortSignal; readonly end: () => void } {
  const closed = new AbortController()
  const close = (): void => closed.abort()
  raw.closed.addEventListener('abort', close, { once: true })
  if (raw.closed.aborted) close()
  return {
    over: false,
    closed: closed.signal,
    end: () => {
      raw.closed.removeEventListener('abort', close)
      closed.abort()
    }
  }
}

/** Waits for the first message of another turn, and leaves it there: a heartbeat that says something is one. */
async function another(incoming: Incoming): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const waited = new Promise<undefined>(resolve => {
    timer = setTimeout(() => resolve(undefined), WAITED_MS).unref()
  })
  try {
    for (;;) {
      const message = await Promise.race([incoming.peek(), waited])
      if (message === undefined) return false
      if (typeOf(message) !== 'heartbeat' || Object.keys(message as object).length > 1) return true
      incoming.take()
    }
  } finally {
    clearTimeout(timer)
  }
}

function typeOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'type' in message ? message.type : undefined
}

function against({ peer }: Channel, reason: string): CloudburstError {
  return new CloudburstError('CB_FRAME_INVALID', `peer ${peer} does not keep to its turn: ${reason}`, { peer })
}

function unanswered({ peer }: Channel, ms: number): CloudburstError {
  return new CloudburstError('CB_PEER_UNREACHABLE', `peer ${peer} gave no answer within ${ms / 1000} s`, { peer })
}
