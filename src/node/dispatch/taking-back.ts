/** Sub-goals that are not wanted any more: ended where they are pursued, and taken back where they were done. */
import { CloudburstError } from '../../errors.ts'
import type { RemoteOutcome, TakingBack } from '../../goals/ports.ts'
import { subRunId } from '../../goals/pursuit/remote.ts'
import { isNeededHere } from '../goals/leaving.ts'
import { SUB_GOAL_ACCEPT_WITHIN_MS } from './dispatch-order.ts'
import { freshId, triesOf } from './locating.ts'
import type { MessengerParts } from './messenger.ts'
import { over } from './own-outcome.ts'

const DONE: RemoteOutcome = { kind: 'completed', results: {} }

/** See {@link Messenger.takeBack}. */
export async function takeBack(parts: MessengerParts, asked: TakingBack, signal: AbortSignal): Promise<RemoteOutcome> {
  for (const id of await triesOf(parts, asked.id)) {
    const as = id === asked.id ? asked.as : subRunId(asked.as, 'undo', {}, id)
    const outcome = await takeBackRun(parts, { ...asked, id, as }, signal)
    if (outcome.kind !== 'completed') return outcome
  }
  return DONE
}

/** Looks again after each change: what was under way may have come to its end meanwhile. */
async function takeBackRun(parts: MessengerParts, asked: TakingBack, signal: AbortSignal): Promise<RemoteOutcome> {
  const { id, undo } = asked
  for (;;) {
    signal.throwIfAborted()
    const standing = await standingOf(parts, id)
    if (standing === 'nothing' || (standing === 'done' && undo === false)) return DONE
    if (await isNeededHere(parts.journal, id, { chain: asked.chain, done: standing === 'done' })) return DONE
    if (standing === 'done') return await undoRun(parts, asked, signal)
    const isSeenTo = await unlessOver(async () => {
      if (undo !== false) return (await parts.cancel(id, asked.by ?? parts.self, howOf(asked))).kept
      await parts.giveUp(id, asked.by ?? parts.self, howOf(asked))
      return true
    })
    if (isSeenTo) return DONE
    await ended(parts, id, signal)
  }
}

/** nothing: it was never accepted, or was given up before. */
async function standingOf({ dispatches, journal }: MessengerParts, id: string): Promise<'nothing' | 'open' | 'done'> {
  const record = await dispatches.find(id)
  if (record === undefined) {
    const run = journal.find(id)
    if (run === undefined || run.mirrored || run.status === 'cancelled') return 'nothing'
    return run.status === 'completed' ? 'done' : 'open'
  }
  if (record.state === 'done') return record.outcome === 'cancelled' ? 'nothing' : 'done'
  return record.state === 'refused' || record.state === 'abandoned' ? 'nothing' : 'open'
}

/** What `giveUp` answers; false when the goal has come to its end just now. */
async function unlessOver(giveUp: () => Promise<boolean>): Promise<boolean> {
  try {
    return await giveUp()
  } catch (error) {
    if (error instanceof CloudburstError && (error.code === 'CB_NOT_SUSPENDED' || error.code === 'CB_RUN_UNKNOWN')) return false
    throw error
  }
}

function howOf({ why, undo }: TakingBack): { readonly why?: string; readonly undo?: false } {
  return { ...(why !== undefined && { why }), ...(undo === false && { undo }) }
}

async function ended({ dispatches, journal }: MessengerParts, id: string, signal: AbortSignal): Promise<void> {
  if ((await dispatches.find(id)) === undefined) await over(journal, id, signal)
  else await dispatches.outcome(id, signal)
}

/** What is over is taken back by a run of its own, on the node that did it. */
async function undoRun(parts: MessengerParts, asked: TakingBack, signal: AbortSignal): Promise<RemoteOutcome> {
  const { dispatches, journal, programs, runs, self } = parts
  const { goal, chain, by } = asked
  const id = await freshId(parts, asked.as, true)
  const { name, hash } = await programs.find(asked.program)
  const before = await dispatches.find(asked.id)
  if (before === undefined) {
    const order = { id, goal, program: hash, assignments: [], by: by ?? self, caller: self.peer, chain, takesBack: asked.id }
    await runs().accept(order)
    await over(journal, id, signal)
  } else {
    const { peer, node } = before
    const order = {
      id,
      peer,
      node,
      goal,
      program: { name, hash },
      assignments: [],
      chain,
      undoes: asked.id,
      ...(by !== undefined && { by })
    }
    const sent = await dispatches.send({ ...order, acceptWithinMs: SUB_GOAL_ACCEPT_WITHIN_MS })
    const record = await dispatches.outcome(sent, signal)
    if (record.error !== undefined) return { kind: 'failed', message: record.error.message }
  }
  const status = (await journal.summary(id))?.status
  return status === 'completed' ? DONE : { kind: 'failed', message: `its undoing was ${status ?? 'lost'} there` }
}
