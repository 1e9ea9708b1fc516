/** Who is at the other end of each connection and what it may do here, decided anew whenever that may have changed. */
import type { Capability } from '../../crypto/capability.ts'
import { shortPeer } from '../../crypto/identity.ts'
import { CloudburstError } from '../../errors.ts'
import { type Asked, checkBehalf } from '../../protocols/behalf.ts'
import type { Caller } from '../../protocols/wire/channel.ts'
import type { Audit, AuditEntry } from '../permissions/audit.ts'
import { sparingly } from '../permissions/sparing-audit.ts'
import { capabilitiesOf, decide, firstEnd, permitsOf, type Right, type Subject, type Trusted } from '../permissions/decide.ts'
import { SESSION_MAX_MS } from './limits.ts'

/** What one peer may do over one connection. A changed permit makes a new one, and ends the channels of the old. */
export interface Session {
  readonly peer: string
  readonly capabilities: readonly Capability[]
  readonly email: string
  /** Epoch milliseconds; decided again before then. */
  readonly until: number
  readonly caller: Caller
}

export interface SessionsOptions {
  readonly permissions: { readonly current: Trusted }
  readonly audit: Audit
  readonly now: () => number
  /**
   * The machine's own clock, for whether an ask was signed just now; `now` unless given, which never goes back: after a clock that
   * was wrong for a moment it would find no ask to be of its time.
   */
  readonly clock?: () => number
  /** Peer id of this node. */
  readonly self: string
  /** Name of a peer in this neighborhood. */
  readonly nameOf: (peer: string) => string
  /** A session ended and nothing is permitted any more: the connection has to go. */
  readonly onNothingLeft: (connection: string) => void
}

interface OpenSession extends Session {
  readonly since: number
  readonly permits: readonly Right[]
  readonly ended: AbortController
}

export class Sessions {
  readonly #options: SessionsOptions
  readonly #open = new Map<string, OpenSession>()
  readonly #answering = new Map<string, Promise<void>>()
  readonly #recordStranger: (entry: AuditEntry) => void

  constructor(options: SessionsOptions) {
    this.#options = options
    this.#recordStranger = sparingly(options.audit, options.now)
  }

  /** Whether `peer` has any permit that holds now. */
  permitted(peer: string): boolean {
    return this.#permits(peer, this.#options.now()).length > 0
  }

  /** Why `peer` is not let in. */
  whyNot(peer: string): string {
    return decide(this.#options.permissions.current, { peer, since: this.#options.now() }, 'agency:hello', {}, this.#options.now()).reason
  }

  /** What `peer` may do here now. */
  capabilities(peer: string): readonly Capability[] {
    return capabilitiesOf(this.#permits(peer, this.#options.now()))
  }

  /** The session of a connection, if its peer has said hello and was welcomed. */
  of(connection: string): Session | undefined {
    return this.#open.get(connection)
  }

  /**
   * The session of `peer` on a connection, from now on.
   * @throws CloudburstError CB_DENIED, written to the audit log
   */
  begin(peer: string, connection: string): Session {
    const known = this.#open.get(connection)
    if (known !== undefined) return known
    const now = this.#options.now()
    const permits = this.#permits(peer, now)
    if (permits.length === 0) throw this.deny(peer, 'no permit holds for it')
    const session = this.#make(peer, now, permits)
    this.#open.set(connection, session)
    this.#record(peer, { decision: 'allow', email: session.email, reason: 'session begins' })
    return session
  }

  /**
   * A hello is being answered on a connection: what was sent right after it waits for the answer.
   * @returns to be called once it was answered
   */
  answering(connection: string): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#answering.set(connection, promise)
    return () => {
      if (this.#answering.get(connection) === promise) this.#answering.delete(connection)
      resolve()
    }
  }

  /** The session of a connection, once the hello that is being answered on it was, if one is. */
  async soon(connection: string): Promise<Session | undefined> {
    if (!this.#open.has(connection)) await this.#answering.get(connection)
    return this.#open.get(connection)
  }

  /** Ends the session of a connection, and its channels. */
  end(connection: string, reason: string): void {
    const session = this.#open.get(connection)
    if (session === undefined) return
    this.#open.delete(connection)
    session.ended.abort(this.#denied(session.peer, reason))
  }

  /** Decides every session anew. What was permitted and is not any more ends its channels; when nothing is left, its connection. */
  recheck(): void {
    const now = this.#options.now()
    for (const [connection, session] of this.#open) {
      const permits = this.#permits(session.peer, now, session.since)
      const kept = session.permits.every(before => permits.some(right => right === before || sameRight(right, before)))
      if (kept) {
        if (now >= session.until || !identical(permits, session.permits)) this.#open.set(connection, this.#extend(session, permits))
        continue
      }
      this.#record(session.peer, { decision: 'deny', email: session.email, reason: 'session ends: a permit was removed or is over' })
      this.end(connection, 'a permit was removed or is over')
      if (permits.length === 0) this.#options.onNothingLeft(connection)
      else this.#open.set(connection, this.#make(session.peer, session.since, permits))
    }
  }

  /** A refusal, after it was written to the audit log. */
  deny(peer: string, reason: string, capability?: Capability): CloudburstError {
    const entry = { decision: 'deny', reason, ...(capability === undefined ? {} : { capability }) } as const
    if (this.permitted(peer)) this.#record(peer, entry)
    else this.#recordStranger({ peer, node: this.#options.nameOf(peer), ...entry })
    return this.#denied(peer, reason)
  }

  #permits(peer: string, now: number, since = now): readonly Right[] {
    return permitsOf(this.#options.permissions.current, { peer, since }, now)
  }

  #make(peer: string, since: number, permits: readonly Right[]): OpenSession {
    return this.#extend({ peer, since, ended: new AbortController() }, permits)
  }

  /** The same session with these permits: its channels go on. */
  #extend({ peer, since, ended }: Pick<OpenSession, 'peer' | 'since' | 'ended'>, permits: readonly Right[]): OpenSession {
    const email = permits[0]!.email
    const until = Math.min(firstEnd(permits, since), this.#options.now() + SESSION_MAX_MS)
    const caller: Caller = {
      peer,
      node: this.#options.nameOf(peer),
      email,
      require: (capability, what) => this.#require({ peer, since, ended }, capability, what ?? {}),
      onBehalf: (behalf, asked) => this.#onBehalf({ peer, since, ended }, caller, behalf, asked),
      ended: ended.signal
    }
    return { peer, since, ended, permits, email, until, capabilities: capabilitiesOf(permits), caller }
  }

  /** Each of those that the peer asks for needs a right of its own, whether it is here or not. */
  #onBehalf(session: Pick<OpenSession, 'peer' | 'since' | 'ended'>, caller: Caller, behalf: readonly string[], asked: Asked): Caller {
    const { self, now, clock = now } = this.#options
    const { peer } = session
    let others: readonly string[]
    try {
      const asks = checkBehalf(behalf, { from: peer, to: self, asked, now: clock() })
      others = [...new Set(asks.map(({ signer }) => signer))].filter(signer => signer !== peer && signer !== self)
    } catch (error) {
      throw this.deny(peer, error instanceof Error ? error.message : String(error))
    }
    return {
      ...caller,
      require: (capability, what = {}) => {
        this.#require(session, capability, what)
        for (const other of others) this.#require({ ...session, peer: other, since: now() }, capability, what, peer)
      }
    }
  }

  #require(
    { peer, since, ended }: Pick<OpenSession, 'peer' | 'since' | 'ended'>,
    capability: Capability,
    what: Subject,
    through?: string
  ): void {
    if (ended.signal.aborted) throw this.deny(peer, 'its session has ended', capability)
    const decision = decide(this.#options.permissions.current, { peer, since }, capability, what, this.#options.now())
    const email = decision.permit === undefined ? {} : { email: decision.permit.email }
    const reason = through === undefined ? decision.reason : `${decision.reason}, through ${this.#options.nameOf(through)}`
    this.#record(peer, { decision: decision.allowed ? 'allow' : 'deny', ...email, capability, what, reason })
    if (!decision.allowed) throw this.#denied(peer, reason)
  }

  #record(peer: string, entry: Omit<AuditEntry, 'peer' | 'node'>): void {
    this.#options.audit.record({ peer, node: this.#options.nameOf(peer), ...entry })
  }

  #denied(peer: string, reason: string): CloudburstError {
    return new CloudburstError('CB_DENIED', `${this.#options.nameOf(peer)} (…${shortPeer(peer)}) is denied: ${reason}`, { peer })
  }
}

/** Whether two rights reach as far, wherever they come from: a grant that was issued anew goes on with what the old one allowed. */
function sameRight(a: Right, b: Right): boolean {
  return a.email === b.email && a.authority === b.authority && reach(a) === reach(b)
}

function reach({ bounds }: Right): string {
  return JSON.stringify(
    bounds.map(({ capabilities, programs, goals, vars, on, concurrent }) => [capabilities, programs, goals, vars, on, concurrent])
  )
}

function identical(a: readonly Right[], b: readonly Right[]): boolean {
  return a.length === b.length && a.every((right, at) => right === b[at])
}
