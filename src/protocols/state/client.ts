import * as v from 'valibot'
import { CloudburstError, fromErrorData } from '../../errors.ts'
import { accepted, errorShape } from '../shapes.ts'
import type { Channel, Dialer } from '../wire/channel.ts'
import { STATE, type StateMessage } from './messages.ts'
import { stateShape } from './record.ts'
import type { Replica } from './replica.ts'

/** A neighbour that gives nothing for this long is left, in milliseconds. */
const GIVE_WITHIN_MS = 15_000
/** Most envelopes taken in one pull: far more than a thousand origins within their limits have. */
const ENVELOPES_PER_PULL_MAX = 200_000

const errorMessage = v.object({ type: v.literal('error'), error: errorShape })

/** Of a replica, what is needed to take. */
type Taking = Pick<Replica, 'heads' | 'headsPrint' | 'unlike' | 'originsIn' | 'apply' | 'applyProof' | 'applyForget'>

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
export async function pullState(dialer: Dialer, peer: string, replica: Taking, signal: AbortSignal, how: PullHow = {}): Promise<number> {
  const channel = await dialer.open(peer, STATE, signal)
  const leave = (): void =>
    channel.abort(new CloudburstError('CB_PEER_UNREACHABLE', `peer ${peer} gave its state too slowly, or we are leaving`, { peer }))
  const late = setTimeout(leave, GIVE_WITHIN_MS)
  late.unref()
  signal.addEventListener('abort', leave, { once: true })
  try {
    const pull = await pullOf(channel, peer, replica, how)
    if (pull === undefined) {
      await channel.finish().catch(() => undefined)
      return 0
    }
    await channel.write(pull)
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
    clearTimeout(late)
    signal.removeEventListener('abort', leave)
  }
}

/** What to ask for; undefined when there is nothing to pull. */
async function pullOf(channel: Channel, peer: string, replica: Taking, { of, compare }: PullHow): Promise<StateMessage | undefined> {
  if (compare !== true) return { type: 'pull', have: replica.heads(of), ...(of !== undefined && { of }) }
  await channel.write({ type: 'compare', print: replica.headsPrint() } satisfies StateMessage)
  const answer = read(peer, await channel.read())
  if (answer.type === 'same') return undefined
  const sums = answer.type === 'differs' ? answer.sums : undefined
  const buckets = sums === undefined ? [] : replica.unlike(sums)
  // Older nodes tell no sums; and heads may differ where, by chance, no sum does.
  if (buckets.length === 0) return { type: 'pull', have: replica.heads() }
  return { type: 'pull', have: replica.heads(replica.originsIn(buckets)), buckets }
}

function read(peer: string, message: unknown): StateMessage {
  if (message === undefined) throw new CloudburstError('CB_PEER_UNREACHABLE', `peer ${peer} ended its state in the middle`, { peer })
  if (v.is(errorMessage, message)) throw fromErrorData(accepted(errorMessage, message, 'error').error)
  return accepted(stateShape, message, 'message of state')
}
