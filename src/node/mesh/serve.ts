import { setImmediate } from 'node:timers/promises'
import type { Connection, StreamHandler } from '@libp2p/interface'
import { CloudburstError, toErrorData } from '../../errors.ts'
import type { Channel, Handler } from '../../protocols/wire/channel.ts'
import { frameChannel } from '../../protocols/wire/frame-channel.ts'
import type { Log } from '../files/live-file.ts'
import { LAST_WORDS_MS } from './limits.ts'
import type { Sessions } from './sessions.ts'
import { widening } from './widening.ts'

/**
 * A libp2p handler that serves `handler` to peers with a session, and to nobody else. A refusal or an error of the handler
 * goes to the peer as `{type: 'error', error}`, the last frame. When the session ends, so does the channel, with that error.
 */
export function served(handler: Handler, sessions: Sessions, log: Log): StreamHandler {
  return async (stream, connection) => {
    const peer = connection.remotePeer.toString()
    const channel = frameChannel(widening(stream), peer)
    const caller = (await sessions.soon(connection.id))?.caller
    // Of a stranger whose grants were good: it comes back on another connection.
    if (caller === undefined && connection.status !== 'open') return stream.abort(new Error('the connection has ended'))
    if (caller === undefined) return lastWords(channel, sessions.deny(peer, `it has no session and asked for ${stream.protocol}`))
    const { guarded, stopped } = untilEnded(channel, caller.ended)
    try {
      await handler(guarded, caller)
      if (!caller.ended.aborted) await channel.finish()
    } catch (error) {
      if (caller.ended.aborted) return
      if (!(error instanceof CloudburstError)) log.error({ peer, protocol: stream.protocol, error }, 'a protocol handler failed')
      await lastWords(channel, error)
    } finally {
      stopped()
    }
  }
}

/** The same channel, on which nothing goes in or out once `ended` fires. */
function untilEnded(channel: Channel, ended: AbortSignal): { guarded: Channel; stopped: () => void } {
  // Not Promise.race with one promise for all: that would hold every message of a long stream until its end.
  const waiting = new Set<(error: unknown) => void>()
  const unlessEnded = <T>(work: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      waiting.add(reject)
      work.then(resolve, reject).finally(() => waiting.delete(reject))
      if (ended.aborted) reject(ended.reason)
    })
  const onEnd = (): void => {
    for (const reject of waiting) reject(ended.reason)
    void lastWords(channel, ended.reason)
  }
  ended.addEventListener('abort', onEnd, { once: true })
  if (ended.aborted) onEnd()
  const guarded: Channel = {
    peer: channel.peer,
    closed: channel.closed,
    async write(message) {
      ended.throwIfAborted()
      await unlessEnded(channel.write(message))
    },
    read: () => unlessEnded(channel.read()),
    finish: () => channel.finish(),
    abort: reason => channel.abort(reason)
  }
  return { guarded, stopped: () => ended.removeEventListener('abort', onEnd) }
}

/** Tells the peer why, if it listens, and ends the channel soon in any case. */
async function lastWords(channel: Channel, error: unknown): Promise<void> {
  const cut = setTimeout(() => channel.abort(error instanceof Error ? error : new Error(String(error))), LAST_WORDS_MS).unref()
  channel.closed.addEventListener('abort', () => clearTimeout(cut), { once: true })
  try {
    await channel.write({ type: 'error', error: toErrorData(error) })
    await channel.finish()
  } catch {
    // The peer has gone, which is what we wanted.
  }
}

/** Ends a connection once its channels have said why, if they may soon. */
export async function cut(connection: Connection): Promise<void> {
  await setImmediate()
  const reason = new Error('not permitted any more')
  await connection.close({ signal: AbortSignal.timeout(LAST_WORDS_MS) }).catch(() => connection.abort(reason))
}
