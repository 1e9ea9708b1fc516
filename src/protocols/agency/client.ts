/** The agency of a peer, used like one's own. Spec: ./README.md */
import { CloudburstError, fromErrorData } from '../../errors.ts'
import { type Asked, PASSED_ON, type Signing } from '../behalf.ts'
import { beating } from '../heartbeat.ts'
import { accepted } from '../shapes.ts'
import type { Channel, Dialer } from '../wire/channel.ts'
import { AGENCY, type Agency } from './calls.ts'
import { fromAgencyShape, type FromAgency, type FromCaller } from './messages.ts'

/**
 * The agency of `peer`. Who asks is proved by the connection; on whose behalf, by what `sign` adds to calls that may be passed on.
 * A reply is data of the peer: its parts are not checked here.
 * @throws CloudburstError (from its calls) whatever the peer answered; CB_PEER_UNREACHABLE when the answer did not come,
 *   in which case a call may or may not have had its effect
 */
export function remoteAgency(dialer: Dialer, peer: string, sign?: Signing): Agency {
  return {
    async call(name, request, by, signal) {
      const behalf = sign !== undefined && PASSED_ON.has(name) ? { behalf: sign(peer, askedOf(name, request), by) } : {}
      const { channel, release } = await ask(dialer, peer, { type: 'call', name, request, ...behalf }, signal)
      try {
        const answer = await next(channel, name)
        if (answer.type !== 'reply')
          throw new CloudburstError('CB_FRAME_INVALID', `peer ${peer} answered the call ${name} with ${answer.type}`)
        await channel.finish().catch(() => undefined)
        return answer.reply as never
      } catch (error) {
        throw signal?.aborted === true ? signal.reason : error
      } finally {
        release()
      }
    },

    async *stream(name, request, _by, signal) {
      const { channel, release } = await ask(dialer, peer, { type: 'stream', name, request }, signal)
      try {
        for (;;) {
          const answer = await next(channel, name)
          if (answer.type === 'end') return void (await channel.finish().catch(() => undefined))
          if (answer.type !== 'item')
            throw new CloudburstError('CB_FRAME_INVALID', `peer ${peer} answered the stream ${name} with ${answer.type}`)
          yield answer.item as never
        }
      } catch (error) {
        throw signal?.aborted === true ? signal.reason : error
      } finally {
        release()
      }
    }
  }
}

function askedOf(call: string, request: object): Omit<Asked, 'chain'> {
  const { id, goal, program } = request as { readonly id?: string; readonly goal?: string; readonly program?: string }
  return { call, ...(id !== undefined && { goalId: id }), ...(goal !== undefined && { goal }), ...(program !== undefined && { program }) }
}

async function ask(
  dialer: Dialer,
  peer: string,
  message: FromCaller,
  signal?: AbortSignal
): Promise<{ channel: Channel; release: () => void }> {
  signal?.throwIfAborted()
  const channel = beating(await dialer.open(peer, AGENCY, signal))
  const cancel = (): void => channel.abort(new CloudburstError('CB_INTERRUPTED', `the caller of ${message.name} has left`))
  signal?.addEventListener('abort', cancel, { once: true })
  const release = (): void => {
    signal?.removeEventListener('abort', cancel)
    cancel()
  }
  try {
    await channel.write(message)
    return { channel, release }
  } catch (error) {
    release()
    throw error
  }
}

async function next(channel: Channel, name: string): Promise<Exclude<FromAgency, { type: 'error' }>> {
  const message = await channel.read()
  if (message === undefined)
    throw new CloudburstError('CB_PEER_UNREACHABLE', `peer ${channel.peer} ended ${name} without an answer`, { peer: channel.peer })
  const answer = accepted(fromAgencyShape, message, `answer to ${name}`)
  if (answer.type === 'error') throw fromErrorData(answer.error)
  return answer
}
