/** A goal for another node, as those who send it say it. */
import type { Assignment, Principal } from '../../goals/pursuit/events.ts'
import type { DispatchRequest } from '../../protocols/dispatch/executor.ts'
import type { DispatchGroup, DispatchRecord } from './dispatch-records.ts'

/** A peer has this long to accept, in milliseconds, unless the caller says otherwise: longer than a daemon's restart. */
export const ACCEPT_WITHIN_MS = 10_000
/**
 * The node of a sub-goal has this long, in milliseconds: a host that boots anew is back by then, and without it the goal that
 * needs it would fail and wait for a person.
 */
export const SUB_GOAL_ACCEPT_WITHIN_MS = 60_000
/** With `--wait`: a week, after which somebody should look. */
export const ACCEPT_PATIENTLY_MS = 7 * 24 * 60 * 60 * 1_000

export interface DispatchOrder {
  /** Chosen by the caller when it may ask again, e.g. a sub-goal; the same id is the same dispatch. */
  readonly id?: string
  /** Peer id, and the name to show for it. */
  readonly peer: string
  readonly node: string
  readonly goal: string
  readonly program: { readonly name: string; readonly hash: string }
  readonly agent?: string
  readonly mode?: 'pursue' | 'execute'
  readonly assignments: readonly Assignment[]
  readonly chain?: readonly string[]
  readonly email?: string
  readonly locale?: string
  readonly stepwise?: boolean
  readonly sshReuse?: boolean
  /** Id of a run there, which is over and is to be taken back. */
  readonly undoes?: string
  /** Whose wish it is; absent: this node's own people's. */
  readonly by?: Principal
  readonly acceptWithinMs?: number
  /** Kept here while the peer is away. */
  readonly patient?: true
  /** Sent when its turn comes. */
  readonly group?: DispatchGroup
}

/** What is written down of an order that was just given. */
export function recordOf(id: string, order: DispatchOrder, now: number, sent: boolean): DispatchRecord {
  const { peer, node, group, patient, acceptWithinMs = patient === true ? ACCEPT_PATIENTLY_MS : ACCEPT_WITHIN_MS } = order
  return {
    id,
    peer,
    node,
    request: requestOf(id, order, now + acceptWithinMs),
    state: group === undefined ? 'open' : 'queued',
    sent: group === undefined && sent,
    acceptWithinMs,
    ...(patient === true && { patient }),
    ...(group !== undefined && { group }),
    ...(order.by !== undefined && { by: order.by })
  }
}

/** The same at its turn: the time to accept begins now. */
export function atItsTurn(record: DispatchRecord, now: number): DispatchRecord {
  const acceptBefore = now + (record.acceptWithinMs ?? ACCEPT_WITHIN_MS)
  return { ...record, state: 'open', request: { ...record.request, acceptBefore } }
}

function requestOf(id: string, order: DispatchOrder, acceptBefore: number): DispatchRequest {
  const { goal, program, agent, mode = 'pursue', assignments, chain = [], email, locale, stepwise, sshReuse, undoes } = order
  return {
    type: 'request',
    id,
    goal,
    program: { name: program.name, hash: program.hash },
    ...(agent === undefined ? {} : { agent }),
    mode,
    assignments,
    chain,
    acceptBefore,
    ...(email === undefined ? {} : { email }),
    ...(locale === undefined ? {} : { locale }),
    ...(stepwise === undefined ? {} : { stepwise }),
    ...(sshReuse === undefined ? {} : { sshReuse }),
    ...(undoes === undefined ? {} : { undoes })
  }
}
