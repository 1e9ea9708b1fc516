/** What only the people of this node may ask: its neighbours, goals for others, invitations, its end. */
import { CloudburstError, toErrorData } from '../../errors.ts'
import type { Program } from '../../goals/program/model.ts'
import type { Principal } from '../../goals/pursuit/events.ts'
import type { Dispatched, DispatchRequest, PeerInfo } from '../control/contract.ts'
import type { LocalHandlers } from '../control/server.ts'
import type { Dispatches } from '../dispatch/dispatches.ts'
import type { Mesh } from '../mesh.ts'
import type { Programs } from '../programs/programs.ts'
import type { Runs } from '../goals/runs.ts'
import { checkStore } from '../store/check.ts'
import type { Reader } from '../store/reader.ts'
import { ticketText, type Tickets } from '../joining/tickets.ts'

export interface LocalParts {
  readonly mesh: Mesh
  readonly dispatches: Dispatches
  readonly runs: Runs
  readonly programs: Programs
  readonly tickets: Tickets
  readonly store: Reader
  readonly self: () => PeerInfo
  readonly shutdown: () => void
}

export function localCalls(parts: LocalParts): LocalHandlers {
  const { mesh, programs, tickets } = parts
  return {
    peers: () => Promise.resolve([parts.self(), ...mesh.peers()]),
    dispatch: async (request, by, signal) => {
      const program = request.program === undefined ? await programs.withGoal(request.goal) : await programs.find(request.program)
      const targets = targetsOf(parts, request.peers)
      if (targets.length === 0) throw new CloudburstError('CB_PEER_UNKNOWN', 'no other node is known here')
      return await Promise.all(targets.map(target => send(parts, target, program, request, by, signal)))
    },
    ticket: async request => {
      const ticket = await tickets.issue(request)
      return { ticket: ticketText(ticket), expiresAt: ticket.expiry }
    },
    checkstore: () => checkStore(parts.store),
    shutdown: () => {
      parts.shutdown()
      return Promise.resolve({})
    }
  }
}

/** The nodes that the selectors name, each once; `*` is everybody but this node. */
function targetsOf({ mesh, self }: LocalParts, selectors: readonly string[]): readonly PeerInfo[] {
  const targets = new Map<string, PeerInfo>()
  for (const selector of selectors) {
    const found = selector === '*' ? mesh.peers() : selector === self().name ? [self()] : mesh.find(selector)
    for (const each of found) targets.set(each.peer, each)
  }
  return [...targets.values()]
}

/** One peer's refusal is its own line in the answer, not the end of the others. */
async function send(
  { dispatches, runs }: LocalParts,
  { peer, name: node, status }: PeerInfo,
  program: Program,
  request: DispatchRequest,
  by: Principal,
  signal: AbortSignal
): Promise<Dispatched> {
  const { goal, agent, mode, assignments, acceptWithinMs, locale, stepwise, sshReuse } = request
  const order = {
    goal,
    assignments,
    ...(agent !== undefined && { agent }),
    ...(mode !== undefined && { mode }),
    ...(locale !== undefined && { locale }),
    ...(stepwise !== undefined && { stepwise }),
    ...(sshReuse !== undefined && { sshReuse })
  }
  try {
    if (status === 'self') return { peer, node, id: (await runs.accept({ ...order, program: program.hash, by })).id }
    const { name, hash } = program
    const id = await dispatches.send({
      ...order,
      peer,
      node,
      program: { name, hash },
      ...(acceptWithinMs !== undefined && { acceptWithinMs })
    })
    const error = await dispatches.verdict(id, signal)
    return error === undefined ? { peer, node, id } : { peer, node, error }
  } catch (error) {
    return { peer, node, error: toErrorData(error) }
  }
}
