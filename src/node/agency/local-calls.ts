/** What only the people of this node may ask: its neighbours, goals for others, invitations, its end. */
import { CloudburstError, toErrorData } from '../../errors.ts'
import type { Program } from '../../goals/program/model.ts'
import type { Principal } from '../../goals/pursuit/events.ts'
import type { Check, Dispatched, DispatchRequest, PeerInfo, SignInInfo } from '../control/contract.ts'
import type { LocalHandlers } from '../control/server.ts'
import type { Agency } from '../../protocols/agency/calls.ts'
import { anticipate } from '../dispatch/anticipate.ts'
import type { DispatchGroup } from '../dispatch/dispatch-records.ts'
import type { Dispatches } from '../dispatch/dispatches.ts'
import { fullId } from '../goals/run-id.ts'
import type { Mesh } from '../mesh.ts'
import type { Programs } from '../programs/programs.ts'
import type { Runs } from '../goals/runs.ts'
import type { Spreading } from '../permissions/spreading.ts'
import type { Trust } from '../permissions/trust.ts'
import { trustCalls } from '../permissions/trust-calls.ts'
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
  readonly trust: Trust
  readonly spreading: Pick<Spreading, 'speak' | 'hand' | 'tellAll'>
  readonly self: () => PeerInfo
  /** The agency of a node, to be asked about a goal that may be sent to it. */
  readonly anticipating: (peer: PeerInfo) => Agency
  /** A fresh ULID. */
  readonly newId: () => string
  /** A code to sign in with; undefined when the control API is not served over the network. */
  readonly signIn: () => SignInInfo | undefined
  readonly files: Pick<LocalHandlers, 'artifacts' | 'keepfile' | 'fetchfile' | 'dropfile'>
  readonly examine: () => Promise<readonly Check[]>
  readonly shutdown: () => void
}

export function localCalls(parts: LocalParts): LocalHandlers {
  const { mesh, programs, tickets } = parts
  return {
    peers: () => Promise.resolve([parts.self(), ...mesh.peers()]),
    dispatch: async (request, by, signal) => {
      const program = request.program === undefined ? await programs.withGoal(request.goal) : await programs.find(request.program)
      const targets = targetsOf(parts, request.peers)
      const group = groupOf(parts.newId(), request, targets.length)
      const turn = (at: number): { readonly group?: DispatchGroup } => (group === undefined ? {} : { group: { ...group, at } })
      return await Promise.all(targets.map((target, at) => send(parts, target, program, request, turn(at), by, signal)))
    },
    anticipate: async ({ peers, ...request }, by, signal) => {
      const program = request.program === undefined ? await programs.withGoal(request.goal) : await programs.find(request.program)
      const question = { ...request, program: program.hash }
      return await Promise.all(targetsOf(parts, peers).map(target => anticipate(parts.anticipating, target, question, by, signal)))
    },
    abandon: async ({ id, why }) => {
      const sent = parts.dispatches.ids().map(each => ({ id: each }))
      await parts.dispatches.abandon(fullId({ runs: () => sent }, id), why)
      return {}
    },
    ticket: async request => {
      const ticket = await tickets.issue(request)
      return { ticket: ticketText(ticket), expiresAt: ticket.expiry }
    },
    ...trustCalls(parts),
    signin: async () => {
      const info = parts.signIn()
      if (info !== undefined) return info
      throw new CloudburstError(
        'CB_USAGE',
        'neighborhood.xml has no <control listen="/ip4/…/tcp/…">: the control API is at the socket only'
      )
    },
    checkstore: () => checkStore(parts.store),
    ...parts.files,
    doctor: () => parts.examine(),
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
  if (targets.size === 0) throw new CloudburstError('CB_PEER_UNKNOWN', 'no other node is known here')
  return [...targets.values()]
}

/** How nodes take turns; undefined when all are sent the goal at once. Of 10 nodes, 25 % are 2. */
function groupOf(id: string, { parallel, failuresMax }: DispatchRequest, nodes: number): Omit<DispatchGroup, 'at'> | undefined {
  if (parallel === undefined && failuresMax !== undefined)
    throw new CloudburstError('CB_USAGE', '--max-failures needs --parallel: without it the goal is sent to all at once', {
      command: 'dispatch'
    })
  if (parallel === undefined) return undefined
  if (failuresMax === undefined) return { id, parallel }
  return { id, parallel, failuresMax: 'count' in failuresMax ? failuresMax.count : Math.floor((nodes * failuresMax.percent) / 100) }
}

/** One peer's refusal is its own line in the answer, not the end of the others. */
async function send(
  { dispatches, runs }: LocalParts,
  { peer, name: node, status }: PeerInfo,
  program: Program,
  request: DispatchRequest,
  turn: { readonly group?: DispatchGroup },
  by: Principal,
  signal: AbortSignal
): Promise<Dispatched> {
  const { goal, agent, mode, assignments, acceptWithinMs, wait, locale, stepwise, sshReuse } = request
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
      ...(acceptWithinMs !== undefined && { acceptWithinMs }),
      ...(wait === true && { patient: true as const }),
      ...turn
    })
    // What waits, for a turn or for a peer, is not waited for here: how it stands is asked by its id.
    if (turn.group !== undefined || wait === true) return { peer, node, id }
    const error = await dispatches.verdict(id, signal)
    return error === undefined ? { peer, node, id } : { peer, node, error }
  } catch (error) {
    return { peer, node, error: toErrorData(error) }
  }
}
