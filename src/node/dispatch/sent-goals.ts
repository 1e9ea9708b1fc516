/** Goals that this node has sent to others, for its agency: where each is, and how it is repaired there. */
import { CloudburstError } from '../../errors.ts'
import { remoteAgency } from '../../protocols/agency/client.ts'
import type { Agency } from '../../protocols/agency/calls.ts'
import type { Dialer } from '../../protocols/wire/channel.ts'
import type { AgencyParts } from '../agency/agency.ts'
import { isClosed } from './dispatch-records.ts'
import type { Dispatches } from './dispatches.ts'
import { heard } from '../goals/heard.ts'
import type { NodeJournal } from '../store/journal.ts'

export interface SentGoalsParts {
  readonly dialer: Dialer
  readonly dispatches: Pick<Dispatches, 'sentTo' | 'onWaiting' | 'find'>
  readonly journal: Pick<NodeJournal, 'summary' | 'subscribe'>
}

export function sentGoals({ dialer, dispatches, journal }: SentGoalsParts): AgencyParts['sent'] {
  const agencyOf = (id: string): Agency => {
    const place = dispatches.sentTo(id)
    if (place === undefined) throw new CloudburstError('CB_RUN_UNKNOWN', `no goal ${id} was sent from here`, { id })
    return remoteAgency(dialer, place.peer)
  }
  return {
    nodeOf: id => dispatches.sentTo(id)?.node,
    onWaiting: (id, listener) => dispatches.onWaiting(id, listener),
    isOpen: async id => {
      const record = await dispatches.find(id)
      return record !== undefined && !isClosed(record)
    },
    repair: async (request, by) => {
      const { seq } = await agencyOf(request.id).call('repair', request, by)
      await heard(journal, request.id, seq)
    },
    preview: async (request, by) => await agencyOf(request.id).call('preview', request, by),
    cancel: async (request, by) => {
      const { seq } = await agencyOf(request.id).call('cancel', request, by)
      await heard(journal, request.id, seq)
    }
  }
}
