/** Dispatches of one goal to many nodes: so many at a time, and no more once too many have failed. Pure. */
import type { DispatchGroup } from './dispatch-records.ts'

/** Where one of a group stands. away: it waits for its peer, and nobody waits for it. */
export type Standing = 'waiting' | 'running' | 'away' | 'failed' | 'done'

interface Member {
  readonly group: DispatchGroup
  standing: Standing
}

export class Groups {
  readonly #groups = new Map<string, Map<string, Member>>()

  /** Where a dispatch stands from now on. */
  set(id: string, group: DispatchGroup, standing: Standing): void {
    const members = this.#groups.get(group.id) ?? new Map<string, Member>()
    this.#groups.set(group.id, members)
    const member = members.get(id)
    if (member === undefined) members.set(id, { group, standing })
    else member.standing = standing
  }

  /** Forgets a group of which nobody waits or runs any more. */
  tidy(groupId: string): void {
    const left = [...(this.#groups.get(groupId)?.values() ?? [])]
    if (left.every(({ standing }) => standing === 'done' || standing === 'failed')) this.#groups.delete(groupId)
  }

  /** Those whose turn it is now, in their order. */
  next(groupId: string): readonly string[] {
    const members = this.#groups.get(groupId)
    if (members === undefined || this.exhausted(groupId) !== undefined) return []
    const running = [...members.values()].filter(({ standing }) => standing === 'running').length
    const waiting = this.waiting(groupId)
    const room = (members.get(waiting[0] ?? '')?.group.parallel ?? 0) - running
    return room <= 0 ? [] : waiting.slice(0, room)
  }

  /** Those whose turn has not come, in their order. */
  waiting(groupId: string): readonly string[] {
    return [...(this.#groups.get(groupId) ?? [])]
      .filter(([, { standing }]) => standing === 'waiting')
      .sort(([, a], [, b]) => a.group.at - b.group.at)
      .map(([id]) => id)
  }

  /** Why no more of a group are sent. */
  exhausted(groupId: string): string | undefined {
    const members = [...(this.#groups.get(groupId)?.values() ?? [])]
    const failed = members.filter(({ standing }) => standing === 'failed').length
    const max = members[0]?.group.failuresMax
    return max === undefined || failed <= max ? undefined : `${failed} of ${members.length} nodes failed, more than ${max}`
  }
}
