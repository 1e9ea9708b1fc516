/** Goals that several may have asked for: one of them gives its part up, and the goal ends, or is taken back, when nobody keeps it. */
import { CloudburstError } from '../../errors.ts'
import type { Principal } from '../../goals/pursuit/events.ts'
import { sentGoals } from '../../goals/pursuit/sent-goals.ts'
import type { NodeJournal } from '../store/journal.ts'
import { isOver } from '../store/run-index.ts'
import type { Repairs } from './repairs.ts'

export interface Leaving {
  /**
   * `caller` has no need any more of a goal that it has asked for. It is given up, unless others keep it. Durable on return.
   * @returns whether others keep it
   * @throws like {@link Repairs.cancel}
   */
  leave(id: string, caller: string, by: Principal, how: { readonly why?: string; readonly undo?: false }): Promise<{ kept: boolean }>
  /**
   * `caller` wants taken back what a goal has done that it has asked for.
   * @returns the runs to undo: none when others keep it, when it was given up, or taken back before
   * @throws CloudburstError CB_RUN_UNKNOWN; CB_BUSY while it is not over
   */
  toUndo(id: string, caller: string): Promise<readonly string[]>
}

/** @param cancel see {@link Repairs.cancel} */
export function openLeaving(journal: NodeJournal, cancel: Repairs['cancel']): Leaving {
  const isKept = async (id: string, caller: string): Promise<boolean> => {
    await journal.leave(id, caller)
    return (await journal.askers(id)).length > 0
  }
  return {
    leave: async (id, caller, by, { why, undo }) => {
      const kept = await isKept(id, caller)
      if (!kept) await cancel(id, by, why, undo)
      return { kept }
    },
    toUndo: async (id, caller) => {
      const run = journal.find(id)
      if (run === undefined) throw new CloudburstError('CB_RUN_UNKNOWN', `no goal ${id} is here`, { id })
      if (!isOver(run.status)) throw new CloudburstError('CB_BUSY', `goal ${id} is ${run.status}: cancel it`, { id, goal: run.goal })
      if ((await isKept(id, caller)) || run.status === 'cancelled') return []
      return (await undoneRuns(journal)).has(id) ? [] : [id]
    }
  }
}

/** Whether a goal of this node, besides those that give it up, needs what run `id` of a sub-goal does or has done. */
export async function isNeededHere(
  journal: Pick<NodeJournal, 'summaries' | 'read'>,
  id: string,
  { chain, done }: { readonly chain: readonly string[]; readonly done: boolean }
): Promise<boolean> {
  const root = rootOf(chain)
  const asker = runOf(chain.at(-1))
  const undone = done ? await undoneRuns(journal) : new Set<string>()
  for await (const { id: other, status, chain: above = [] } of journal.summaries(run => !run.mirrored && run.status !== 'cancelled')) {
    if (other === asker || undone.has(other) || (rootOf(above) ?? other) !== root || (!done && isOver(status))) continue
    const events = await journal.read(other).catch(() => [])
    if (events.some(({ body }) => body.type === 'undoing')) continue
    if (sentGoals(events).some(each => each.run === id && (each.isOpen || (done && each.isDone)))) return true
  }
  return false
}

/** Runs whose work was taken back, or is just now. */
async function undoneRuns(journal: Pick<NodeJournal, 'summaries'>): Promise<ReadonlySet<string>> {
  const undone = new Set<string>()
  for await (const { undoes = [], status } of journal.summaries(run => !run.mirrored && run.status !== 'cancelled'))
    if (status !== 'cancelled') for (const id of undoes) undone.add(id)
  return undone
}

function rootOf(chain: readonly string[]): string | undefined {
  return runOf(chain[0])
}

function runOf(link: string | undefined): string | undefined {
  return link?.split(':', 1)[0]
}
