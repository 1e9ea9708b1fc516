/** The calls of an agency, over the control socket of a daemon. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Agency, CallName, Calls, LocalCalls, StreamCalls, StreamName } from '../node/control/contract.ts'
import { CloudburstError } from '../errors.ts'
import { follow } from './follow-events.ts'
import { httpOver } from './http.ts'

/** Between tries to reach a daemon that is being restarted, in milliseconds: soon enough to look immediate. */
const RETRY_MS = 200

/** Between tries to reach another node, in milliseconds: the daemon dials it anew each time. */
const PEER_RETRY_MS = 1_000

export interface ControlClientOptions {
  /** Path of the socket. */
  readonly socket: string
  /** What to type when no daemon answers. */
  readonly home: string
  /** Told once each time the daemon has gone in the middle of something. */
  readonly onWaiting: () => void
  readonly signal: AbortSignal
}

export interface ControlClient {
  /** This node's agency, or that of a peer through this node. */
  agency(peer?: string): Agency
  local<N extends keyof LocalCalls>(name: N, request: LocalCalls[N]['request']): Promise<LocalCalls[N]['reply']>
}

/**
 * A client of the daemon at `socket`. Once a daemon has answered, its going away is no error:
 * what may be asked again is asked again, until ctrl-C. Streams of events go on where they were.
 *
 * Each method @throws CloudburstError with the code that the daemon gave; CB_NO_DAEMON when none has answered yet
 */
export function controlClient(options: ControlClientOptions): ControlClient {
  const http = httpOver(options.socket, options.home)
  let known = false

  async function again<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let told = false; ; told = true) {
      try {
        const result = await attempt()
        known = true
        return result
      } catch (error) {
        if (!known || !isAway(error)) throw error
        if (!told) options.onWaiting()
        await pause(RETRY_MS, undefined, { signal })
      }
    }
  }

  async function call<N extends CallName>(
    name: N,
    request: Calls[N]['request'],
    peer: string | undefined,
    given: AbortSignal | undefined
  ): Promise<Calls[N]['reply']> {
    const signal = joined(options.signal, given)
    const attempt = (): Promise<unknown> => http.post(`/api/v1/calls/${name}${queryOf(peer)}`, request, signal)
    const reply = mayRepeat(name, request)
      ? again(attempt, signal)
      : attempt().then(value => {
          known = true
          return value
        })
    return (await reply) as Calls[N]['reply']
  }

  async function* stream<N extends StreamName>(
    name: N,
    request: StreamCalls[N]['request'],
    peer: string | undefined,
    given: AbortSignal | undefined
  ): AsyncGenerator<StreamCalls[N]['item']> {
    const signal = joined(options.signal, given)
    const open = (from: StreamCalls[StreamName]['request']): Promise<AsyncIterable<unknown>> =>
      again(() => http.stream(`/api/v1/streams/${name}${queryOf(peer)}`, from, signal), signal)
    if (name === 'events')
      yield* follow(
        open,
        request as StreamCalls['events']['request'],
        isAway,
        peer === undefined ? undefined : elsewhere(signal)
      ) as AsyncGenerator<StreamCalls[N]['item']>
    else yield* repeated(open, request) as AsyncGenerator<StreamCalls[N]['item']>
  }

  return {
    agency: peer => ({
      call: (name, request, _by, signal) => call(name, request, peer, signal),
      stream: (name, request, _by, signal) => stream(name, request, peer, signal)
    }),
    local: async (name, request) => (await http.post(`/api/v1/local/${name}`, request, options.signal)) as never
  }
}

/** A node that cannot be reached just now, and how long it is left alone. */
function elsewhere(signal: AbortSignal): NonNullable<Parameters<typeof follow>[3]> {
  return {
    isAway: (error): error is CloudburstError => error instanceof CloudburstError && error.code === 'CB_PEER_UNREACHABLE',
    pause: () => pause(PEER_RETRY_MS, undefined, { signal })
  }
}

/** A watch begins with the value as it is now: beginning again loses no change that is still visible. */
async function* repeated<R>(open: (request: R) => Promise<AsyncIterable<unknown>>, request: R): AsyncGenerator<unknown> {
  for (;;) {
    try {
      yield* await open(request)
      return
    } catch (error) {
      if (!isAway(error)) throw error
    }
  }
}

/** Only what asks has no effect twice; `pursue` neither, since its id makes the second the same. */
function mayRepeat<N extends CallName>(name: N, request: Calls[N]['request']): boolean {
  switch (name) {
    case 'pursue':
      return 'id' in request
    case 'load':
    case 'start':
    case 'suspend':
    case 'resume':
    case 'stop':
    case 'repair':
    case 'cancel':
    case 'suspendgoal':
    case 'resumegoal':
    case 'upgrade':
      return false
    default:
      return true
  }
}

function isAway(error: unknown): boolean {
  return error instanceof CloudburstError && error.code === 'CB_NO_DAEMON'
}

function queryOf(peer: string | undefined): string {
  return peer === undefined ? '' : `?peer=${encodeURIComponent(peer)}`
}

function joined(own: AbortSignal, given: AbortSignal | undefined): AbortSignal {
  return given === undefined ? own : AbortSignal.any([own, given])
}
