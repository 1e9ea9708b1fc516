/** Goals that this node has sent to others, for its agency: where each is, how it stands, and how it is repaired there. */
import { CloudburstError, toErrorData } from '../../errors.ts'
import type { Principal } from '../../goals/pursuit/events.ts'
import type { Signing } from '../../protocols/behalf.ts'
import { remoteAgency } from '../../protocols/agency/client.ts'
import type { Agency, DispatchInfo, RunInfo } from '../../protocols/agency/calls.ts'
import type { Dialer } from '../../protocols/wire/channel.ts'
import type { AgencyParts } from '../agency/agency.ts'
import { type DispatchRecord, isClosed } from './dispatch-records.ts'
import type { Dispatches } from './dispatches.ts'
import { heard } from '../goals/heard.ts'
import type { NodeJournal } from '../store/journal.ts'

export interface SentGoalsParts {
  readonly dialer: Dialer
  readonly dispatches: Pick<Dispatches, 'sentTo' | 'onWaiting' | 'awaitedBy' | 'find' | 'ids' | 'waiting' | 'giveUp'>
  readonly journal: Pick<NodeJournal, 'summary' | 'subscribe' | 'find'>
  readonly self: Principal
  readonly sign?: Signing
}

export function sentGoals({ dialer, dispatches, journal, self, sign }: SentGoalsParts): AgencyParts['sent'] {
  const agencyOf = (id: string): Agency => {
    const place = dispatches.sentTo(id)
    if (place === undefined) throw new CloudburstError('CB_RUN_UNKNOWN', `no goal ${id} was sent from here`, { id })
    return remoteAgency(dialer, place.peer, sign)
  }
  const info = async (id: string): Promise<RunInfo | undefined> => {
    const record = await dispatches.find(id)
    return record === undefined ? undefined : infoOf(record, dispatches.waiting(id), self)
  }
  return {
    nodeOf: id => dispatches.sentTo(id)?.node,
    ids: () => dispatches.ids().map(id => ({ id })),
    info,
    unheard: async limit => {
      const ids = dispatches.ids().filter(id => journal.find(id) === undefined)
      const latest = ids.toSorted((a, b) => (a < b ? 1 : -1)).slice(0, limit)
      return (await Promise.all(latest.map(info))).filter(each => each !== undefined)
    },
    standing: async id => {
      if (dispatches.sentTo(id) === undefined) return undefined
      const record = await dispatches.find(id)
      return record === undefined ? undefined : standingOf(record, dispatches.waiting(id))
    },
    onWaiting: (id, listener) => dispatches.onWaiting(id, listener),
    awaitedBy: id => dispatches.awaitedBy(id),
    isOpen: async id => {
      const record = await dispatches.find(id)
      return record !== undefined && !isClosed(record)
    },
    repair: async (request, by) => {
      const { seq } = await agencyOf(request.id).call('repair', request, by)
      await heard(journal, request.id, seq)
    },
    suspend: async (request, by) => {
      const { seq, inFlight = [] } = await agencyOf(request.id).call('suspendgoal', request, by)
      await heard(journal, request.id, seq)
      return inFlight
    },
    resume: async (request, by) => {
      const { seq } = await agencyOf(request.id).call('resumegoal', request, by)
      await heard(journal, request.id, seq)
    },
    plan: async (id, request, by) => await agencyOf(id).call('plan', request, by),
    preview: async (request, by) => await agencyOf(request.id).call('preview', request, by),
    cancel: async (request, by) => {
      const { id, ...how } = request
      const record = await dispatches.find(id)
      if (record !== undefined && record.receipt === undefined) {
        await dispatches.giveUp(id, by, how)
        return { kept: false }
      }
      try {
        const { seq, kept = false } = await agencyOf(id).call('cancel', request, by)
        await heard(journal, id, seq)
        return { kept }
      } catch (error) {
        // Its node is away: it is told when it is there again. Only for this node's own people, who can still be asked then.
        const canWait = by.peer === self.peer || how.leave === true
        if (toErrorData(error).code !== 'CB_PEER_UNREACHABLE' || !canWait) throw error
        await dispatches.giveUp(id, by, how)
        return { kept: false }
      }
    }
  }
}

/** Sends the wish of a person, who asked while the peer was away, on to it. */
export async function cancelThere(dialer: Dialer, { id, peer, giveUp }: DispatchRecord, sign?: Signing): Promise<void> {
  if (giveUp === undefined) return
  const { by, ...how } = giveUp
  await remoteAgency(dialer, peer, sign).call('cancel', { id, ...how }, by)
}

/** How it stands, when that is more than what the goal's events tell. */
function standingOf(record: DispatchRecord, waiting: string | undefined): DispatchInfo | undefined {
  const { state, error, giveUp, group } = record
  const cancelled = giveUp === undefined || isClosed(record) ? undefined : 'to be cancelled'
  const why = [cancelled, error?.message ?? waiting].filter(each => each !== undefined).join(': ')
  const told = why === '' ? {} : { why }
  switch (state) {
    case 'done':
      return undefined
    case 'accepted':
      return why === '' ? undefined : { state, why }
    case 'queued':
      return { state, why: `its turn comes after others: ${group?.parallel ?? 1} at a time` }
    case 'open':
      return { state: waiting === undefined ? 'sent' : 'queued', ...told }
    case 'refused':
      return { state, ...told, ...(error !== undefined && { error }) }
    default:
      return { state, ...told }
  }
}

/** A goal of which nothing is known but that it was sent. */
function infoOf(record: DispatchRecord, waiting: string | undefined, by: Principal): RunInfo {
  const { id, node, request } = record
  const dispatch = standingOf(record, waiting)
  const at = request.acceptBefore - (record.acceptWithinMs ?? 0)
  return {
    id,
    goal: request.goal,
    program: request.program,
    ...(request.agent !== undefined && { agent: request.agent }),
    status: 'proposed',
    seq: 0,
    createdAt: at,
    updatedAt: at,
    by,
    assignments: request.assignments,
    ...(request.chain.length > 0 && { chain: request.chain }),
    steps: { done: 0, failed: 0, running: 0 },
    on: node,
    ...(dispatch !== undefined && { dispatch })
  }
}
