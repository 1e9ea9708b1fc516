/** Gives what others lack of the state of all nodes. Spec: ./README.md */
import { CloudburstError, toErrorData } from '../../errors.ts'
import { firstMessage } from '../first-message.ts'
import { perPeer } from '../per-peer.ts'
import { accepted } from '../shapes.ts'
import type { Channel, Handler } from '../wire/channel.ts'
import type { StateMessage } from './messages.ts'
import { stateShape } from './record.ts'
import type { Replica } from './replica.ts'

/** Envelopes that travel in one message, in bytes: a slow link is not blocked for long by one. */
export const BATCH_BYTES_MAX = 256 * 1024
/** A neighbour has this long to say what it has, in milliseconds. */
const PULL_WITHIN_MS = 10_000

/** Pulls of one peer at a time: a neighbour has one under way, two when it has just lost a connection. */
const PULLS_PER_PEER_MAX = 8

/** Of a replica, what is needed to give. */
type Giving = Pick<Replica, 'missing' | 'headsPrint' | 'headsSums' | 'originsIn'>

/** The handler of STATE. Requires state:read before anything is told. */
export function stateHandler(replica: Giving): Handler {
  const limited = perPeer(PULLS_PER_PEER_MAX, 'pulls of state')

  return async (channel, caller) => {
    try {
      caller.require('state:read')
      await limited(caller, async () => {
        let pull = accepted(stateShape, await firstMessage(channel, PULL_WITHIN_MS), 'pull of state', 'CB_USAGE')
        if (pull.type === 'compare') {
          const same = pull.print === replica.headsPrint()
          await channel.write(same ? { type: 'same' } : differs(replica))
          if (same) return
          pull = accepted(stateShape, await firstMessage(channel, PULL_WITHIN_MS), 'pull of state', 'CB_USAGE')
        }
        if (pull.type !== 'pull') throw new CloudburstError('CB_USAGE', `state is asked for by pull, not by ${pull.type}`)
        await give(replica, channel, pull)
      })
    } catch (error) {
      await channel.write({ type: 'error', error: toErrorData(error) }).catch(() => undefined)
    } finally {
      await channel.finish().catch(() => undefined)
    }
  }
}

function differs(replica: Giving): StateMessage {
  const sums = replica.headsSums()
  return sums === undefined ? { type: 'differs' } : { type: 'differs', sums }
}

async function give(replica: Giving, channel: Channel, { have, of, buckets }: Extract<StateMessage, { type: 'pull' }>): Promise<void> {
  const asked = of ?? (buckets && replica.originsIn(buckets))
  const { envelopes, proofs, forgets } = replica.missing(have, asked)
  for (const batch of batches(envelopes)) await channel.write({ type: 'records', envelopes: batch } satisfies StateMessage)
  for (const proof of proofs) await channel.write({ type: 'fork', proof } satisfies StateMessage)
  for (const batch of batches(forgets)) await channel.write({ type: 'forget', envelopes: batch } satisfies StateMessage)
  await channel.write({ type: 'done' } satisfies StateMessage)
}

/** Envelopes in their order, in lists of at most BATCH_BYTES_MAX (or one). */
export function* batches(envelopes: readonly Uint8Array[]): Generator<readonly Uint8Array[]> {
  let batch: Uint8Array[] = []
  let bytes = 0
  for (const envelope of envelopes) {
    if (batch.length > 0 && bytes + envelope.byteLength > BATCH_BYTES_MAX) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(envelope)
    bytes += envelope.byteLength
  }
  if (batch.length > 0) yield batch
}
