/**
 * Keeps a channel alive and notices a silent other end. Used by every protocol whose streams may be quiet for long:
 * agency (waiting for a reply, following) and dispatch.
 */
import { CloudburstError } from '../errors.ts'
import type { Channel } from './wire/channel.ts'

/** Sent by either side when it has been silent this long, in milliseconds: yamux ends idle streams after 120 s. */
const HEARTBEAT_MS = 20_000
/** An end that was waited for this long without even a heartbeat is gone: three heartbeats, in milliseconds. */
const SILENCE_MS = 3 * HEARTBEAT_MS

const HEARTBEAT = { type: 'heartbeat' } as const

/** How a channel beats, in milliseconds. */
export interface Beat {
  readonly everyMs?: number
  readonly silentMs?: number
  readonly onHeartbeat?: (heartbeat: object) => void
}

/**
 * The same channel, with heartbeats sent when this end has been silent for `everyMs`, heartbeats received left out of
 * {@link Channel.read}, writes queued one after another, and the channel aborted with CB_PEER_UNREACHABLE when a read
 * waits for longer than `silentMs` without any message. Timers do not keep the process alive.
 * @param onHeartbeat is given each heartbeat that comes: one may carry what its sender understands, and who does not know of that passes it over
 */
export function beating(
  channel: Channel,
  { everyMs = HEARTBEAT_MS, silentMs = SILENCE_MS, onHeartbeat = () => undefined }: Beat = {}
): Channel {
  let written = false
  let finished = false
  /** Writes that wait for room: behind them a heartbeat would only wait too. */
  let waiting = 0
  let tail: Promise<unknown> = Promise.resolve()

  const write = (message: unknown): Promise<void> => {
    written = true
    waiting++
    const turn = tail.then(() => channel.write(message)).finally(() => waiting--)
    tail = turn.catch(() => undefined)
    return turn
  }
  const timer = setInterval(() => {
    if (!written && !finished && waiting === 0) write(HEARTBEAT).catch(() => undefined)
    written = false
  }, everyMs)
  timer.unref()
  channel.closed.addEventListener('abort', () => clearInterval(timer), { once: true })
  const hearing = notSilent(channel, silentMs)

  return {
    peer: channel.peer,
    closed: channel.closed,
    write,
    async read() {
      for (;;) {
        const message = await hearing(channel.read())
        if (!isHeartbeat(message)) return message
        onHeartbeat(message)
      }
    },
    async finish() {
      finished = true
      clearInterval(timer)
      await tail
      await channel.finish()
    },
    abort(reason) {
      clearInterval(timer)
      channel.abort(reason)
    }
  }
}

/**
 * Waits for messages, for none longer than `silentMs`. One timer for many of them: it looks how long the present one has been waited for.
 * @throws CloudburstError CB_PEER_UNREACHABLE; the channel is aborted then
 */
function notSilent(channel: Channel, silentMs: number): <T>(message: Promise<T>) => Promise<T> {
  let since: number | undefined
  let timer: NodeJS.Timeout | undefined
  let giveUp: (error: Error) => void = () => undefined
  const look = (): void => {
    timer = undefined
    if (since === undefined) return
    const left = silentMs - (performance.now() - since)
    if (left > 0) {
      wait(left)
      return
    }
    const { peer } = channel
    const silence = new CloudburstError('CB_PEER_UNREACHABLE', `peer ${peer} has been silent for ${silentMs / 1000} s`, { peer })
    channel.abort(silence)
    giveUp(silence)
  }
  const wait = (ms: number): void => {
    timer = setTimeout(look, Math.ceil(ms)).unref()
  }
  // A timer that goes on would keep all that the channel holds in memory.
  channel.closed.addEventListener('abort', () => clearTimeout(timer), { once: true })
  return message =>
    new Promise((resolve, reject) => {
      since = performance.now()
      giveUp = reject
      if (timer === undefined && !channel.closed.aborted) wait(silentMs)
      const heard = (): void => void (since = undefined)
      message.then(
        value => {
          heard()
          resolve(value)
        },
        (error: unknown) => {
          heard()
          reject(error)
        }
      )
    })
}

function isHeartbeat(message: unknown): message is object {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'heartbeat'
}
