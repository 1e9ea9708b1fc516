import * as v from 'valibot'
import { CloudburstError, fromErrorData } from '../../errors.ts'
import { accepted, errorShape } from '../shapes.ts'
import type { Dialer } from '../wire/channel.ts'
import { STATE, type StateMessage } from './messages.ts'
import { stateShape } from './record.ts'
import type { Replica } from './replica.ts'

/** A neighbour that gives nothing for this long is left, in milliseconds. */
const GIVE_WITHIN_MS = 15_000
/** Most envelopes taken in one pull: far more than a thousand origins within their limits have. */
const ENVELOPES_PER_PULL_MAX = 200_000

const errorMessage = v.object({ type: v.literal('error'), error: errorShape })

/** What is pulled. */
export interface PullHow {
  /** Only these origins. Absent: all. */
  readonly of?: readonly string[]
  /** Asks first whether there is anything to pull: two messages, where the heads of all would be most of a pull. */
  readonly compare?: true
}

/**
 * Takes in all that `peer` knows and this node does not. A bad record ends the pull; those before it stay.
 * @returns how many records were news
 * @throws CloudburstError CB_PEER_UNREACHABLE, CB_DENIED, CB_FRAME_INVALID, CB_SIGNATURE_INVALID
 */
export async function pullState(
  dialer: Dialer,
  peer: string,
  replica: Pick<Replica, 'heads' | 'headsPrint' | 'apply' | 'applyProof' | 'applyForget'>,
  signal: AbortSignal,
  { of, compare }: PullHow = {}
): Promise<number> {
  const channel = await dialer.open(peer, STATE, signal)
  const late = AbortSignal.timeout(GIVE_WITHIN_MS)
  const leave = (): void =>
    channel.abort(new CloudburstError('CB_PEER_UNREACHABLE', `peer ${peer} gave its state too slowly, or we are leaving`, { peer }))
  for (const each of [signal, late]) each.addEventListener('abort', leave, { once: true })
  try {
    if (compare === true) {
      await channel.write({ type: 'compare', print: replica.headsPrint() } satisfies StateMessage)
      if (read(peer, await channel.read()).type === 'same') {
        await channel.finish().catch(() => undefined)
        return 0
      }
    }
    const have = replica.heads(of)
    await channel.write({ type: 'pull', have, ...(of !== undefined && { of }) } satisfies StateMessage)
    let applied = 0
    let taken = 0
    for (;;) {
      const message = read(peer, await channel.read())
      if (message.type === 'done') {
        await channel.finish().catch(() => undefined)
        return applied
      }
      if (message.type === 'fork') replica.applyProof(message.proof, peer)
      if (message.type === 'forget') for (const envelope of message.envelopes) replica.applyForget(envelope)
      if (message.type !== 'records') continue
      taken += message.envelopes.length
      if (taken > ENVELOPES_PER_PULL_MAX)
        throw new CloudburstError('CB_FRAME_INVALID', `peer ${peer} gave ${taken} records of state at once`, { peer })
      for (const envelope of message.envelopes) if (replica.apply(envelope, peer) === 'applied') applied++
    }
  } catch (error) {
    leave()
    throw error
  } finally {
    for (const each of [signal, late]) each.removeEventListener('abort', leave)
  }
}

function read(peer: string, message: unknown): StateMessage {
  if (message === undefined) throw new CloudburstError('CB_PEER_UNREACHABLE', `peer ${peer} ended its state in the middle`, { peer })
  if (v.is(errorMessage, message)) throw fromErrorData(accepted(errorMessage, message, 'error').error)
  return accepted(stateShape, message, 'message of state')
}
