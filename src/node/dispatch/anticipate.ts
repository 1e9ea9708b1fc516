/** What sending a goal to other nodes would meet, asked of each before anything runs: is it there, may we, has it the program, what would it do. */
import { toErrorData } from '../../errors.ts'
import type { Agency, Calls } from '../../protocols/agency/calls.ts'
import type { Anticipated, PeerInfo } from '../control/contract.ts'
import type { Principal } from '../../goals/pursuit/events.ts'

/** A node has this long to answer, in milliseconds: planning may ask its machine a few things. */
export const ANTICIPATE_WITHIN_MS = 10_000

/** A goal as it would be sent. */
export type Question = Calls['anticipate']['request']

/** @param agencyOf the agency of a node, this one included */
export async function anticipate(
  agencyOf: (peer: PeerInfo) => Agency,
  target: PeerInfo,
  question: Question,
  by: Principal,
  signal: AbortSignal
): Promise<Anticipated> {
  const { peer, name: node, mayThere, status } = target
  const within = AbortSignal.any([signal, AbortSignal.timeout(ANTICIPATE_WITHIN_MS)])
  try {
    const { holds, would, problem } = await agencyOf(target).call('anticipate', question, by, within)
    const maySend = status === 'self' || mayThere.includes('program:load')
    return {
      peer,
      node,
      reachable: true,
      permitted: holds || maySend,
      program: holds ? 'there' : maySend ? 'to send' : 'missing',
      ...(would !== undefined && { would }),
      ...(problem !== undefined && { problem }),
      ...(!holds && !maySend && { problem: `it has not got the program, and program:load is not permitted there` })
    }
  } catch (error) {
    signal.throwIfAborted()
    const { code, message } = within.aborted ? { code: 'CB_TIMEOUT', message: `${node} did not answer in time` } : toErrorData(error)
    const away = code === 'CB_PEER_UNREACHABLE' || code === 'CB_TIMEOUT' || code === 'CB_PEER_UNKNOWN'
    const denied = code === 'CB_DENIED'
    return { peer, node, reachable: !away, ...(denied && { permitted: false }), problem: message }
  }
}
