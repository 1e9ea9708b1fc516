/** Serves an agency's calls to peers. One call or stream per channel. Spec: ./README.md */
import type { Capability } from '../../crypto/capability.ts'
import { CloudburstError, toErrorData } from '../../errors.ts'
import type { Principal } from '../../goals/pursuit/events.ts'
import type { Asked } from '../behalf.ts'
import { firstMessage } from '../first-message.ts'
import { beating } from '../heartbeat.ts'
import { perPeer } from '../per-peer.ts'
import { accepted } from '../shapes.ts'
import type { About, Caller, Channel, Handler } from '../wire/channel.ts'
import { callCapability, type Agency, type CallName, type Calls, type StreamCalls, type StreamName } from './calls.ts'
import { fromCallerShape, type FromAgency } from './messages.ts'
import { callShapes, streamShapes } from './shapes.ts'

/** What a request is about, for permits that are bound to programs or goals. */
export interface Subject {
  /** Hash of the program, or its name while no program of that name is held. */
  readonly program?: string
  /** The name under which the owner of this node knows that program. */
  readonly programName?: string
  readonly goal?: string
  /** Of a run that it names: `<run id>:<goal>` of those that led to it. */
  readonly chain?: readonly string[]
  /** Paths that it sets; absent for requests that can set none. */
  readonly vars?: readonly string[]
  /** Needed besides the call's own capability, e.g. `node:shell` for the built-in program of ad-hoc commands. */
  readonly also?: readonly Capability[]
}

export interface AgencyLimits {
  /** Calls and streams of one peer at a time; the next one is answered CB_BUSY. */
  readonly callsPerPeerMax: number
  /** A caller has this long to send its request, in milliseconds. */
  readonly requestWithinMs: number
}

/** A page of the control center follows a dozen streams; a script with 64 at a time should wait. */
export const AGENCY_LIMITS: AgencyLimits = { callsPerPeerMax: 64, requestWithinMs: 10_000 }

/**
 * Finds out what a request is about: the program's hash behind a name, program and goal of the run behind an id.
 * Called before the capability is checked, so it must have no effect and tell the caller nothing.
 */
export type SubjectOf = (name: CallName | StreamName, request: unknown) => Promise<Subject> | Subject

/** The handler of AGENCY. Every capability is required here, after the request's shape and before any effect. */
export function agencyHandler(agency: Agency, limits: AgencyLimits = AGENCY_LIMITS, subjectOf: SubjectOf = named): Handler {
  const limited = perPeer(limits.callsPerPeerMax, 'calls')

  return async (raw, caller) => {
    const channel = beating(raw)
    try {
      await limited(caller, () => serve(agency, channel, caller, limits, subjectOf))
    } catch (error) {
      await send(channel, { type: 'error', error: toErrorData(error) }).catch(() => undefined)
    } finally {
      await channel.finish().catch(() => undefined)
    }
  }
}

async function serve(agency: Agency, channel: Channel, caller: Caller, limits: AgencyLimits, subjectOf: SubjectOf): Promise<void> {
  const first = accepted(fromCallerShape, await firstMessage(channel, limits.requestWithinMs), 'first message to the agency')
  const signal = AbortSignal.any([channel.closed, caller.ended])

  if (first.type === 'call' && isCall(first.name)) {
    const { behalf } = first
    const shaped = accepted(callShapes[first.name], first.request, `request of ${first.name}`, 'CB_USAGE')
    const subject = await subjectOf(first.name, shaped)
    const asking = behalf === undefined ? caller : onBehalf(caller, behalf, first.name, shaped, subject)
    const request = permitted(first.name, shaped, asking, subject)
    const by = principal(caller, behalf)
    await send(channel, { type: 'reply', reply: await agency.call(first.name, request, by, signal) })
    return
  }
  if (first.type === 'stream' && isStream(first.name)) {
    const shaped = accepted(streamShapes[first.name], first.request, `request of ${first.name}`, 'CB_USAGE')
    const request = permitted(first.name, shaped, caller, await subjectOf(first.name, shaped))
    await pour(agency.stream(first.name, request, principal(caller), signal), channel, caller)
    return
  }
  throw new CloudburstError('CB_USAGE', `there is no ${first.type} named ${first.name}`)
}

function permitted<N extends CallName | StreamName>(name: N, shaped: unknown, caller: Caller, subject: Subject): RequestOf<N> {
  const checked = shaped as RequestOf<N>
  caller.require(callCapability[name], about(subject))
  for (const capability of subject.also ?? []) caller.require(capability, about(subject))
  return checked
}

function principal({ peer, node, email }: Caller, behalf?: readonly string[]): Principal {
  return { peer, node, email, ...(behalf !== undefined && { behalf }) }
}

/** Whoever else it asks for needs to be permitted too. */
function onBehalf(caller: Caller, behalf: readonly string[], call: string, request: unknown, { chain }: Subject): Caller {
  const { id, goal, program } = request as { readonly id?: string; readonly goal?: string; readonly program?: string }
  const asked: Asked = {
    call,
    ...(id !== undefined && { goalId: id }),
    ...(goal !== undefined && { goal }),
    ...(program !== undefined && { program }),
    ...(chain !== undefined && { chain })
  }
  if (caller.onBehalf === undefined) throw new CloudburstError('CB_DENIED', 'nobody is asked for on behalf of others here')
  return caller.onBehalf(behalf, asked)
}

type RequestOf<N extends CallName | StreamName> = N extends CallName
  ? Calls[N]['request']
  : N extends StreamName
    ? StreamCalls[N]['request']
    : never

/** Items at the pace of the reader; ends with the session, not only with the items. */
async function pour(items: AsyncIterable<unknown>, channel: Channel, caller: Caller): Promise<void> {
  const iterator = items[Symbol.asyncIterator]()
  const left = once(channel.closed)
  const ended = once(caller.ended)
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), left.fired, ended.fired])
      if (next === FIRED) break
      if (next.done === true) return await send(channel, { type: 'end' })
      await send(channel, { type: 'item', item: next.value })
    }
    if (caller.ended.aborted) throw new CloudburstError('CB_DENIED', `the session of ${caller.node} has ended`, { peer: caller.peer })
  } finally {
    left.forget()
    ended.forget()
    // Not awaited: an iterator that waits for its next item finishes only once its signal has been noticed.
    void iterator.return?.()?.catch(() => undefined)
  }
}

const FIRED = Symbol('fired')

function once(signal: AbortSignal): { fired: Promise<typeof FIRED>; forget: () => void } {
  let forget = (): void => undefined
  const fired = new Promise<typeof FIRED>(resolve => {
    const fire = (): void => resolve(FIRED)
    if (signal.aborted) return fire()
    signal.addEventListener('abort', fire, { once: true })
    forget = () => signal.removeEventListener('abort', fire)
  })
  return { fired, forget: () => forget() }
}

/** What the request itself says it is about. */
function named(_name: CallName | StreamName, request: unknown): Subject {
  const { program, goal } = request as { program?: string; goal?: string }
  return { ...(program === undefined ? {} : { program }), ...(goal === undefined ? {} : { goal }) }
}

function about({ also: _, chain: __, ...rest }: Subject): About {
  return rest
}

function isCall(name: string): name is CallName {
  return Object.hasOwn(callShapes, name)
}

function isStream(name: string): name is StreamName {
  return Object.hasOwn(streamShapes, name)
}

function send(channel: Channel, message: FromAgency): Promise<void> {
  return channel.write(message)
}
