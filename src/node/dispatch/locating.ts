/** Where a sub-goal is asked for, and under which id. */
import { CloudburstError } from '../../errors.ts'
import type { Located, RemoteGoal } from '../../goals/ports.ts'
import { subRunId } from '../../goals/pursuit/remote.ts'
import type { PeerInfo } from '../control/contract.ts'
import type { MessengerParts } from './messenger.ts'

/**
 * The node that was asked before, while it has not refused; else one of several that do equally well.
 * @param anew what was asked for last has failed: an end that it came to there is not heard once more
 */
export async function locate(
  parts: MessengerParts,
  { id: byName, peer: selector }: Pick<RemoteGoal, 'id' | 'peer'>,
  runOn: (node: string) => string,
  anew: boolean
): Promise<Located> {
  // By an older release, which derived the id from the words of the program.
  const older = await parts.dispatches.find(byName)
  if (older !== undefined && !isSpent(older.state)) return { id: byName, node: older.peer }
  const found = parts.find(selector)
  const run = async ({ peer }: PeerInfo): Promise<string> => await freshId(parts, runOn(peer), anew)
  for (const target of found) {
    const id = await run(target)
    if ((await parts.dispatches.find(id)) !== undefined || parts.journal.find(id)?.mirrored === false) return { id, node: target.peer }
  }
  const target = chosen(found, selector)
  return { id: await run(target), node: target.peer }
}

/**
 * The id of the next try: what was refused or abandoned under an id stays so, and may be asked for anew under another; with `anew` so may
 * what was cancelled.
 */
export async function freshId(parts: Pick<MessengerParts, 'dispatches' | 'journal' | 'ours'>, id: string, anew = false): Promise<string> {
  for (let next = id; ; next = nextId(parts, next)) {
    const record = await parts.dispatches.find(next)
    const isCancelled = record === undefined ? parts.journal.find(next)?.status === 'cancelled' : record.outcome === 'cancelled'
    if (!isSpent(record?.state) && !(anew && isCancelled)) return next
  }
}

function isSpent(state: string | undefined): boolean {
  return state === 'refused' || state === 'abandoned'
}

/** Others may work out the first id of a sub-goal, and take it before its caller does; not the ones behind it. */
export function nextId({ ours }: Pick<MessengerParts, 'ours'>, id: string): string {
  return subRunId(id, 'again', {}, ours(id))
}

/** Every id under which the goal was asked for, the last first. */
export async function triesOf(parts: MessengerParts, id: string): Promise<readonly string[]> {
  const tries: string[] = []
  for (let next = id; (await parts.dispatches.find(next)) !== undefined || parts.journal.find(next) !== undefined; ) {
    tries.unshift(next)
    next = nextId(parts, next)
  }
  return tries
}

/** One of several that do equally well: reachable ones first, then by name, so that the same question has the same answer. */
export function chosen(found: readonly PeerInfo[], selector: string): PeerInfo {
  const reachable = ({ status }: PeerInfo): number => (status === 'self' || status === 'up' ? 0 : 1)
  const [first] = found.toSorted((a, b) => reachable(a) - reachable(b) || (a.name < b.name ? -1 : 1))
  if (first === undefined) throw new CloudburstError('CB_PEER_UNKNOWN', `no node is ${selector}`, { peer: selector })
  return first
}
