/** Peers that accepted a goal, went away, and were given up: when one returns, it is told before it does more. */
import { CloudburstError, toErrorData } from '../../errors.ts'
import type { Clock } from '../../goals/ports.ts'
import { fence as tellFence } from '../../protocols/dispatch/client.ts'
import { DISPATCH } from '../../protocols/dispatch/messages.ts'
import type { Dialer } from '../../protocols/wire/channel.ts'
import type { DispatchParts } from './dispatches.ts'
import { type DispatchOp, type Fence, FENCE_PREFIX, fenceKey } from './dispatch-records.ts'

/** A peer that may have come back without our noticing is tried this often, in milliseconds. */
const TRY_EVERY_MS = 60_000
/** One try, in milliseconds: a peer that is there ends its steps and answers. */
const TRY_WITHIN_MS = 30_000

export interface FencesParts extends Pick<DispatchParts, 'store' | 'log'> {
  readonly dialer: Dialer
  readonly clock: Clock
  readonly stopping: AbortSignal
}

export interface Fences {
  /** What joins the batch that closes the dispatch. */
  op(fence: Fence): DispatchOp
  /** Tells the peer, however long it takes; to be called once the batch is on disk. */
  begin(fence: Fence): void
  /** There is news of a peer: tries at once. */
  wake(peer: string): void
  /** Ids of goals whose peers have not been told. */
  open(): readonly string[]
  /** Resolves once nothing is under way; `stopping` has to have fired. */
  ended(): Promise<void>
}

/** Goes on with the fences of earlier lives. */
export async function openFences({ store, log, dialer, clock, stopping }: FencesParts): Promise<Fences> {
  const telling = new Map<string, { readonly peer: string; wake: () => void; readonly done: Promise<void> }>()

  const tryOnce = async ({ id, peer, node, why }: Fence): Promise<boolean> => {
    try {
      const signal = AbortSignal.any([stopping, AbortSignal.timeout(TRY_WITHIN_MS)])
      await tellFence(await dialer.open(peer, DISPATCH, signal), id, why)
    } catch (error) {
      // It has no such goal, so there is nothing that could go on.
      if (toErrorData(error).code !== 'CB_RUN_UNKNOWN') return false
    }
    await store.batch([{ type: 'del', key: fenceKey(id) }], { sync: true })
    log.info({ goal: id, peer }, `${node} is back and was told that its goal was abandoned`)
    return true
  }
  const begin = (fence: Fence): void => {
    const entry = { peer: fence.peer, wake: (): void => undefined, done: Promise.resolve() }
    const tell = async (): Promise<void> => {
      while (!stopping.aborted && !(await tryOnce(fence))) {
        const woken = new AbortController()
        entry.wake = () => woken.abort()
        await clock.sleep(TRY_EVERY_MS, AbortSignal.any([stopping, woken.signal])).catch(() => undefined)
      }
    }
    telling.set(fence.id, entry)
    entry.done = tell()
      .catch(error => log.warn({ err: error, goal: fence.id }, 'a fence is not seen to until the next start'))
      .finally(() => telling.delete(fence.id))
  }
  for await (const [, fence] of store.range<Fence>({ prefix: FENCE_PREFIX })) begin(fence)

  return {
    op: fence => ({ type: 'put', key: fenceKey(fence.id), value: fence }),
    begin,
    wake: peer => {
      for (const entry of telling.values()) if (entry.peer === peer) entry.wake()
    },
    open: () => [...telling.keys()],
    ended: async () => void (await Promise.all([...telling.values()].map(({ done }) => done)))
  }
}

/** @throws CloudburstError CB_USAGE for a goal that nobody could still be pursuing */
export function abandonable(state: string, id: string): void {
  if (state === 'done') throw new CloudburstError('CB_USAGE', `goal ${id} has come to its outcome: there is nothing to abandon`, { id })
  if (state === 'refused') throw new CloudburstError('CB_USAGE', `goal ${id} was never accepted: there is nothing to abandon`, { id })
}
