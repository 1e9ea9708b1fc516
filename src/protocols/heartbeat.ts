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

/**
 * The same channel, with heartbeats sent when this end has been silent for `everyMs`, heartbeats received left out of
 * {@link Channel.read}, writes queued one after another, and the channel aborted with CB_PEER_UNREACHABLE when a read
 * waits for longer than `silentMs` without any message. Timers do not keep the process alive.
 */
export function beating(channel: Channel, everyMs = HEARTBEAT_MS, silentMs = SILENCE_MS): Channel {
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

  return {
    peer: channel.peer,
    closed: channel.closed,
    write,
    async read() {
      for (;;) {
        const message = await within(channel, silentMs)
        if (!isHeartbeat(message)) return message
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

async function within(channel: Channel, silentMs: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const silent = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const { peer } = channel
      const silence = new CloudburstError('CB_PEER_UNREACHABLE', `peer ${peer} has been silent for ${silentMs / 1000} s`, { peer })
      channel.abort(silence)
      reject(silence)
    }, silentMs)
    timer.unref()
  })
  try {
    return await Promise.race([channel.read(), silent])
  } finally {
    clearTimeout(timer)
  }
}

function isHeartbeat(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'heartbeat'
}
