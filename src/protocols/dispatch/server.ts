/** The executor's side of dispatch: decides once, then tells until the outcome. Spec: ./README.md */
import { CloudburstError, toErrorData } from '../../errors.ts'
import type { Principal } from '../../goals/pursuit/events.ts'
import { firstMessage } from '../first-message.ts'
import { beating } from '../heartbeat.ts'
import { perPeer, STREAMS_PER_PEER_MAX } from '../per-peer.ts'
import { accepted } from '../shapes.ts'
import type { About, Caller, Channel, Handler } from '../wire/channel.ts'
import { inTurns } from '../wire/turns.ts'
import type { Acceptance, DispatchRequest, Executor } from './executor.ts'
import type { FromDispatcher, FromExecutor } from './messages.ts'
import { RECEIPT_TYPE, receiptPayload } from './receipt.ts'
import { fromDispatcherShape } from './shapes.ts'
import { tell } from './tell.ts'

/** A dispatcher has this long for its first message and for each program that it was asked for, in milliseconds. */
export const MESSAGE_WITHIN_MS = 30_000

/** The handler of DISPATCH. One dispatch after the other may come over a stream; one that is refused ends it. */
export function dispatchHandler(executor: Executor): Handler {
  const deciding = new Map<string, Promise<unknown>>()
  const limited = perPeer(STREAMS_PER_PEER_MAX, 'dispatches')

  return inTurns(async (turn, caller) => {
    let together = false
    const channel = beating(turn, { onHeartbeat: beat => (together ||= takesEvents(beat)) })
    try {
      await limited(caller, () => serve(executor, deciding, channel, caller, () => together))
      return true
    } catch (error) {
      await send(channel, { type: 'refused', error: toErrorData(error) }).catch(() => undefined)
      return false
    } finally {
      await channel.finish().catch(() => undefined)
    }
  })
}

/** Whether the dispatcher says in a heartbeat that it takes several events in a message. */
function takesEvents(heartbeat: object): boolean {
  return 'takes' in heartbeat && Array.isArray(heartbeat.takes) && heartbeat.takes.includes('events')
}

/** @param together whether the dispatcher takes several events in a message; known once its first word has come */
async function serve(
  executor: Executor,
  deciding: Map<string, Promise<unknown>>,
  channel: Channel,
  caller: Caller,
  together: () => boolean
): Promise<void> {
  const first = accepted(fromDispatcherShape, await firstMessage(channel, MESSAGE_WITHIN_MS), 'first message of a dispatch', 'CB_USAGE')
  if (first.type === 'program')
    throw new CloudburstError('CB_USAGE', 'a dispatch begins with a request, follow or fence, not with a program')
  const { id } = first
  if (first.type === 'fence') return await fence(executor, deciding, channel, caller, first)

  // One decision at a time per request: a follow or a second try must see what the first one decided.
  const acceptance = await inTurn(deciding, `${caller.peer}!${id}`, () =>
    first.type === 'request' ? decide(executor, first, channel, caller) : followed(executor, first, caller)
  )
  await send(channel, { type: 'accepted', id, receipt: receipt(executor, id, acceptance, caller.peer) })
  // Told first that the goal was accepted, which is so whatever the dispatcher may do now.
  caller.require('goal:dispatch', { program: acceptance.program, goal: acceptance.goal, vars: [] })
  await tell(executor, channel, caller, id, { ...(first.type === 'follow' ? first : { from: 1 }), together: together() })
}

async function decide(executor: Executor, request: DispatchRequest, channel: Channel, caller: Caller): Promise<Acceptance> {
  const before = await executor.find(request.id, caller.peer)
  if (before !== undefined) return sameAs(before, request)

  const asking = askingFor(request, caller)
  const what: About = { program: request.program.hash, goal: request.goal, vars: request.assignments.map(({ path }) => path) }
  if (await executor.holds(request.program.hash)) await required(executor, request, asking, what)
  else asking.require('goal:dispatch', what)
  if (request.undoes !== undefined) await known(executor, request.undoes, caller)
  refuseCycle(request)
  refuseExpired(executor, request)
  // Not the e-mail that the dispatcher gives: the one by which it was let in.
  const { behalf } = request
  const by: Principal = { peer: caller.peer, node: caller.node, email: caller.email, ...(behalf !== undefined && { behalf }) }
  if (!(await executor.holds(request.program.hash))) await fetchProgram(executor, request, channel, asking, by)

  // Fetching may have taken long: look again at everything that may have changed meanwhile.
  await required(executor, request, asking, what)
  refuseExpired(executor, request)
  if (channel.closed.aborted) throw new CloudburstError('CB_PEER_UNREACHABLE', `peer ${caller.node} left before its goal was accepted`)
  return executor.accept(request, by)
}

/** What the goal needs of a program that is held: as its owner knows it, and what it needs besides goal:dispatch. */
async function required(executor: Executor, request: DispatchRequest, asking: Caller, what: About): Promise<void> {
  const { also = [], programName } = (await executor.subject?.(request)) ?? {}
  const about = programName === undefined ? what : { ...what, programName }
  asking.require('goal:dispatch', about)
  for (const capability of [...also, ...(request.undoes === undefined ? [] : ['goal:repair' as const])]) asking.require(capability, about)
}

/** Whoever else the dispatcher asks for needs to be permitted too. */
function askingFor({ behalf, id, goal, program, chain, undoes }: DispatchRequest, caller: Caller): Caller {
  if (behalf === undefined) return caller
  if (caller.onBehalf === undefined) throw new CloudburstError('CB_DENIED', 'nobody is asked for on behalf of others here')
  return caller.onBehalf(behalf, {
    call: 'dispatch',
    goalId: id,
    goal,
    program: program.hash,
    chain,
    ...(undoes !== undefined && { undoes })
  })
}

async function fetchProgram(executor: Executor, request: DispatchRequest, channel: Channel, caller: Caller, by: Principal): Promise<void> {
  const { name, hash } = request.program
  caller.require('program:load', { program: hash })
  await send(channel, { type: 'need-program', hash })
  const answer = accepted(fromDispatcherShape, await firstMessage(channel, MESSAGE_WITHIN_MS), 'answer to need-program', 'CB_USAGE')
  if (answer.type !== 'program') throw new CloudburstError('CB_USAGE', `asked for program ${name}, got ${answer.type}`)
  caller.require('program:load', { program: hash })
  const loaded = await executor.load(answer.files, by)
  if (loaded !== hash)
    throw new CloudburstError('CB_PROGRAM_INVALID', `program ${name} should have hash ${hash} but has ${loaded}`, { program: name })
}

async function known(executor: Executor, id: string, caller: Caller): Promise<Acceptance> {
  const acceptance = await executor.find(id, caller.peer)
  if (acceptance === undefined) throw new CloudburstError('CB_RUN_UNKNOWN', `no goal ${id} was accepted from ${caller.node} here`, { id })
  return acceptance
}

/** What a dispatcher goes on to follow. Who holds more of it than there is here was told so before this node's disk became an older one. */
async function followed(
  executor: Executor,
  { id, from }: Extract<FromDispatcher, { type: 'follow' }>,
  caller: Caller
): Promise<Acceptance> {
  const acceptance = await known(executor, id, caller)
  const { seq = from } = acceptance
  if (seq >= from - 1) return acceptance
  throw new CloudburstError(
    'CB_RUN_UNKNOWN',
    `goal ${id} has ${seq} events here, of which ${from - 1} were told: an older disk was put back`,
    {
      id
    }
  )
}

function sameAs(before: Acceptance, request: DispatchRequest): Acceptance {
  if (before.goal === request.goal && before.program === request.program.hash) return before
  throw new CloudburstError('CB_USAGE', `request id ${request.id} was used for goal ${before.goal} before`, { id: request.id })
}

async function fence(
  executor: Executor,
  deciding: Map<string, Promise<unknown>>,
  channel: Channel,
  caller: Caller,
  { id, why }: Extract<FromDispatcher, { type: 'fence' }>
): Promise<void> {
  const { program, goal } = await inTurn(deciding, `${caller.peer}!${id}`, () => known(executor, id, caller))
  caller.require('goal:dispatch', { program, goal, vars: [] })
  await executor.fence(id, { peer: caller.peer, node: caller.node, email: caller.email }, why)
  await send(channel, { type: 'fenced', id })
}

/** A sub-goal's id is derived from root run, goal and arguments: the same id further up waits for itself. */
function refuseCycle({ id, goal, chain }: DispatchRequest): void {
  const link = chain.find(link => link.startsWith(`${id}:`))
  if (link !== undefined)
    throw new CloudburstError('CB_USAGE', `goal ${goal} would wait for itself: ${[...chain, `${id}:${goal}`].join(' → ')}`, { id })
}

function refuseExpired(executor: Executor, { goal, acceptBefore }: DispatchRequest): void {
  const late = executor.now() - acceptBefore
  if (late < 0) return
  throw new CloudburstError(
    'CB_REQUEST_EXPIRED',
    `goal ${goal} had to be accepted ${late} ms ago by this node's clock; if it was sent just now, the clocks of the two nodes are apart`,
    { goal }
  )
}

function receipt(executor: Executor, id: string, { goal, program, acceptedAt }: Acceptance, dispatcher: string): Uint8Array {
  return executor.seal(RECEIPT_TYPE, receiptPayload({ id, executor: executor.peer, dispatcher, goal, program, acceptedAt }))
}

async function inTurn<T>(turns: Map<string, Promise<unknown>>, key: string, work: () => Promise<T>): Promise<T> {
  const before = turns.get(key) ?? Promise.resolve()
  const turn = before.then(work, work)
  const settled = turn.catch(() => undefined)
  turns.set(key, settled)
  try {
    return await turn
  } finally {
    if (turns.get(key) === settled) turns.delete(key)
  }
}

function send(channel: Channel, message: FromExecutor): Promise<void> {
  return channel.write(message)
}
