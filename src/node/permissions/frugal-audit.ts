/**
 * An audit log that no peer can fill, however much it may ask: what is decided alike within a while is one line that says how often,
 * and of lines that differ each peer has so many. The first of each kind is written at once.
 */
import type { Capability } from '../../crypto/capability.ts'
import { type Audit, type AuditEntry, shortened } from './audit.ts'

/** Lines about one peer that may be written at once after a silence, and after them one in so many milliseconds: 12 MB a day at most. */
export const PEER_LINES_AT_ONCE_MAX = 1_000
export const PEER_LINE_INTERVAL_MS = 10_000
/** Decisions alike that come within this time are one line, in milliseconds; … */
export const REPEATS_WITHIN_MS = 60_000
/** … of those that only look, within twice as much each time they go on, up to this: nodes at rest look at one another all day. */
export const LOOKS_WITHIN_MAX_MS = 3_600_000
/** How often it is looked whether a line is due, in milliseconds. */
const LOOK_INTERVAL_MS = 10_000

const LOOKING: ReadonlySet<Capability | undefined> = new Set<Capability | undefined>([
  undefined,
  'agency:hello',
  'agency:inspect',
  'state:read',
  'inventory:read'
])

interface Repeated {
  readonly entry: AuditEntry
  times: number
  /** Epoch milliseconds: of the last line, and of the first decision that is not in one. */
  readonly writtenAt: number
  since: number
  readonly withinMs: number
}

interface Account {
  /** Lines that may be written now. */
  left: number
  at: number
  /** Decisions that were unlike all others when no line was left. */
  readonly unsaid: { times: number; denied: number; since: number }
  readonly repeated: Map<string, Repeated>
}

export interface FrugalAudit extends Audit {
  /** Writes what is due. Called by itself now and then, and all of it by `close`. */
  settle(): void
}

/** @param now epoch milliseconds */
export function frugally(audit: Audit, now: () => number = Date.now): FrugalAudit {
  const accounts = new Map<string, Account>()
  const settle = (all = false): void => {
    for (const [peer, account] of accounts) if (settled(audit, peer, account, now(), all)) accounts.delete(peer)
  }
  const timer = setInterval(settle, LOOK_INTERVAL_MS).unref()
  return {
    record(given) {
      const entry = shortened(given)
      const account = accounts.get(entry.peer) ?? newAccount(now())
      accounts.set(entry.peer, account)
      const key = JSON.stringify(entry)
      const known = account.repeated.get(key)
      if (known !== undefined) {
        if (known.times === 0) known.since = now()
        known.times++
        return
      }
      if (pay(account, now())) {
        account.repeated.set(key, { entry, times: 0, writtenAt: now(), since: 0, withinMs: REPEATS_WITHIN_MS })
        audit.record(entry)
        return
      }
      const { unsaid } = account
      if (unsaid.times === 0) unsaid.since = now()
      unsaid.times++
      if (entry.decision === 'deny') unsaid.denied++
    },
    settle: () => settle(),
    close() {
      clearInterval(timer)
      settle(true)
      audit.close()
    }
  }
}

/** @returns whether there is nothing to be remembered of this peer */
function settled(audit: Audit, peer: string, account: Account, now: number, all: boolean): boolean {
  for (const [key, repeated] of account.repeated) {
    if (!all && now - repeated.writtenAt < repeated.withinMs) continue
    if (repeated.times === 0) {
      account.repeated.delete(key)
      continue
    }
    if (!all && !pay(account, now)) break
    const { entry, times, since } = repeated
    audit.record({ ...entry, times, since: new Date(since).toISOString() })
    const withinMs = LOOKING.has(entry.capability) ? Math.min(repeated.withinMs * 2, LOOKS_WITHIN_MAX_MS) : REPEATS_WITHIN_MS
    // Put at the end: those that wait for a line take turns.
    account.repeated.delete(key)
    account.repeated.set(key, { entry, times: 0, writtenAt: now, since: 0, withinMs })
  }
  const { unsaid } = account
  if (unsaid.times > 0 && (all || pay(account, now))) {
    const decision = unsaid.denied > 0 ? 'deny' : 'allow'
    const reason = `so many decisions that were all different, ${unsaid.denied} of them denials`
    audit.record({ decision, peer, reason, times: unsaid.times, since: new Date(unsaid.since).toISOString() })
    Object.assign(unsaid, { times: 0, denied: 0 })
  }
  refill(account, now)
  return account.repeated.size === 0 && unsaid.times === 0 && account.left >= PEER_LINES_AT_ONCE_MAX
}

function newAccount(now: number): Account {
  return { left: PEER_LINES_AT_ONCE_MAX, at: now, unsaid: { times: 0, denied: 0, since: 0 }, repeated: new Map() }
}

/** Whether there is a line left, which is then taken. */
function pay(account: Account, now: number): boolean {
  refill(account, now)
  if (account.left < 1) return false
  account.left--
  return true
}

function refill(account: Account, now: number): void {
  const passed = Math.max(0, now - account.at)
  account.left = Math.min(PEER_LINES_AT_ONCE_MAX, account.left + passed / PEER_LINE_INTERVAL_MS)
  account.at = now
}
