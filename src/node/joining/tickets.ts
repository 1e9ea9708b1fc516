/** Join tickets: an invitation that makes two nodes know and permit each other, once. */
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { capabilities as allCapabilities, type Capability } from '../../crypto/capability.ts'
import { isPeerId } from '../../crypto/identity.ts'
import type { StorePart } from '../store/part.ts'
import { CloudburstError } from '../../errors.ts'
import { replaceFile } from '../files/atomic-file.ts'
import { checkOnlyOursToRead } from '../files/file-safety.ts'

/** How long a ticket is good, in milliseconds: by default, and at most. */
export const TICKET_LIFETIME_MS = 60 * 60 * 1_000
export const TICKET_LIFETIME_MAX_MS = 30 * 24 * 60 * 60 * 1_000
/** Longest text of a ticket, in characters. */
export const TICKET_LENGTH_MAX = 16 * 1024
const SECRET_BYTES = 32
const PREFIX = 'cb1-'
const KEY_PREFIX = 'ticket!'

/** What joined nodes may do with each other unless a ticket says otherwise: all but what reaches beyond programs. */
export const TICKET_CAPABILITIES: readonly Capability[] = allCapabilities.filter(
  capability => !['node:shell', 'node:deliver', 'permission:admin'].includes(capability)
)

/** What is in the text of a ticket. */
export interface Ticket {
  /** Peer id and multiaddrs of the node that invites. */
  readonly peer: string
  readonly addresses: readonly string[]
  readonly secret: string
  /** Epoch milliseconds. */
  readonly expiry: number
  /** What each of the two may do at the other. */
  readonly capabilities: readonly Capability[]
  /** What the node that invites may do at the other one besides. */
  readonly ours?: readonly Capability[]
  /** Instead of permits. */
  readonly granted?: Granted
}

/** The word of an authority, for the node that joins. */
export interface Granted {
  /** Its line for permissions.xml. */
  readonly element: string
  /** The grant of the node that joins, as it was signed. */
  readonly grant: string
}

/** What the inviting node keeps: never the secret itself. */
export interface TicketRecord {
  readonly expiry: number
  readonly capabilities: readonly Capability[]
  readonly email?: string
  /** Whoever joins has a grant, and needs no permit. */
  readonly granted?: true
  /** The only peer that may use it. */
  readonly boundTo?: string
  /** Peer that used it. It may present it again, should the answer have been lost; nobody else may. */
  readonly usedBy?: string
}

/** The part of the store that tickets need. */
export interface TicketStore extends StorePart {
  /** Calls `listener` when it cannot be written any more, and when it can again. */
  onState?(listener: (state: 'ready' | 'degraded') => void): unknown
}

/** What a new ticket is to be. */
export interface TicketWish {
  readonly lifetimeMs?: number
  readonly capabilities?: readonly Capability[]
  readonly ours?: readonly Capability[]
  readonly granted?: Granted
  readonly email?: string
  /** The only peer that may use it: a ticket that is stolen on its way is then good for nothing. */
  readonly boundTo?: string
}

export interface Tickets {
  /** A new ticket; on disk on return. @throws CloudburstError CB_USAGE for a lifetime out of range, or bound to no peer id */
  issue(what: TicketWish): Promise<Ticket>
  /** Whether any ticket is out that nobody has used. */
  readonly outstanding: boolean
  /**
   * Takes a ticket for `peer`: on disk on return, so that nobody else can.
   * @throws CloudburstError CB_TICKET_INVALID when it is unknown, expired or used by somebody else
   */
  use(secret: string, peer: string): Promise<TicketRecord>
}

export interface TicketsOptions {
  readonly store: TicketStore
  readonly peer: string
  readonly addresses: () => readonly string[]
  readonly now?: () => number
}

/**
 * The tickets of one node. Reads what is outstanding, once more whenever the store can be written again: a ticket whose use
 * failed to be written may have been used all the same. Expired ones are removed.
 */
export async function openTickets({ store, peer, addresses, now = Date.now }: TicketsOptions): Promise<Tickets> {
  const records = new Map<string, TicketRecord>()
  const expired: string[] = []
  const read = async (): Promise<void> => {
    for await (const [key, value] of store.range({ prefix: KEY_PREFIX })) {
      const record = value as TicketRecord
      if (record.expiry <= now()) expired.push(key)
      // Who has used it here meanwhile stays the one.
      else if (records.get(key)?.usedBy === undefined) records.set(key, record)
    }
  }
  await read()
  store.onState?.(state => {
    if (state === 'ready') void read().catch(() => undefined)
  })
  if (expired.length > 0)
    await store.batch(
      expired.map(key => ({ type: 'del', key })),
      { sync: false }
    )

  return {
    async issue({ lifetimeMs = TICKET_LIFETIME_MS, capabilities = TICKET_CAPABILITIES, ours, granted, email, boundTo }) {
      if (!(lifetimeMs > 0 && lifetimeMs <= TICKET_LIFETIME_MAX_MS)) {
        throw new CloudburstError('CB_USAGE', `a ticket is good for at most ${TICKET_LIFETIME_MAX_MS / 86_400_000} days`)
      }
      if (boundTo !== undefined && !isPeerId(boundTo))
        throw new CloudburstError('CB_USAGE', `${boundTo} is not the peer id of a usable Ed25519 key`)
      const secret = randomBytes(SECRET_BYTES).toString('base64url')
      const record: TicketRecord = {
        expiry: now() + lifetimeMs,
        capabilities,
        ...(email !== undefined && { email }),
        ...(granted !== undefined && { granted: true as const }),
        ...(boundTo !== undefined && { boundTo })
      }
      await store.batch([{ type: 'put', key: keyOf(secret), value: record }], { sync: true })
      records.set(keyOf(secret), record)
      return {
        peer,
        addresses: addresses(),
        secret,
        expiry: record.expiry,
        capabilities,
        ...(ours !== undefined && { ours }),
        ...(granted !== undefined && { granted })
      }
    },
    get outstanding() {
      for (const record of records.values()) if (record.usedBy === undefined && record.expiry > now()) return true
      return false
    },
    async use(secret, user) {
      const key = keyOf(secret)
      const record = records.get(key)
      if (record === undefined) throw refused('it is not known here, or was used')
      if (record.expiry <= now()) throw refused('it has expired')
      if (record.boundTo !== undefined && record.boundTo !== user) throw refused('it was made for another node')
      if (record.usedBy !== undefined && record.usedBy !== user) throw refused('it was used by another node')
      const used = { ...record, usedBy: user }
      // Taken in memory before the wait for the disk: of many at once, one comes first.
      records.set(key, used)
      try {
        // Also when it says so already: whoever repeats it may be quicker than the first write, or that one failed.
        await store.batch([{ type: 'put', key, value: used }], { sync: true })
      } catch (error) {
        if (records.get(key) === used) records.set(key, record)
        throw error
      }
      return used
    }
  }
}

/** The text that a person carries from one node to the other: `cb1-…`. It holds the secret. */
export function ticketText(ticket: Ticket): string {
  return PREFIX + Buffer.from(JSON.stringify(ticket)).toString('base64url')
}

/** @throws CloudburstError CB_TICKET_INVALID when `text` is no ticket; the text is not in the message */
export function parseTicket(text: string): Ticket {
  const trimmed = text.trim()
  if (!trimmed.startsWith(PREFIX) || trimmed.length > TICKET_LENGTH_MAX) throw refused(`a ticket begins with ${PREFIX}`)
  let value: Partial<Ticket> | null
  try {
    value = JSON.parse(Buffer.from(trimmed.slice(PREFIX.length), 'base64url').toString('utf8'))
  } catch {
    throw refused('it is not whole')
  }
  const { peer, addresses, secret, expiry, capabilities, ours, granted } = value ?? {}
  if (typeof peer !== 'string' || !isPeerId(peer) || typeof secret !== 'string' || typeof expiry !== 'number')
    throw refused('it is not whole')
  if (!Array.isArray(addresses) || !addresses.every(address => typeof address === 'string')) throw refused('it is not whole')
  if (!isCapabilities(capabilities) || !(ours === undefined || isCapabilities(ours))) throw refused('it is of another version')
  if (granted !== undefined && !(typeof granted?.element === 'string' && typeof granted.grant === 'string'))
    throw refused('it is not whole')
  return { peer, addresses, secret, expiry, capabilities, ...(ours !== undefined && { ours }), ...(granted !== undefined && { granted }) }
}

function isCapabilities(words: unknown): words is readonly Capability[] {
  return Array.isArray(words) && words.every(word => allCapabilities.includes(word))
}

/** The tickets in a file of waiting ones. @throws CloudburstError CB_TICKET_INVALID when it is no such file */
export function parsePending(text: string): readonly Ticket[] {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    list = undefined
  }
  if (!Array.isArray(list) || !list.every(item => typeof item === 'string')) throw refused('the file of waiting tickets is spoiled')
  return list.map(parseTicket)
}

function readPending(path: string): readonly Ticket[] {
  if (!existsSync(path)) return []
  checkOnlyOursToRead(path)
  return parsePending(readFileSync(path, 'utf8'))
}

/** Adds a ticket to those that wait; one for the same node replaces it. Durable on return, mode 0600. */
export function addPending(path: string, ticket: Ticket): void {
  writePending(path, [...readPending(path).filter(({ peer }) => peer !== ticket.peer), ticket])
}

/** Removes the tickets for a node. Durable on return. */
export function removePending(path: string, peer: string): void {
  writePending(
    path,
    readPending(path).filter(ticket => ticket.peer !== peer)
  )
}

function writePending(path: string, tickets: readonly Ticket[]): void {
  replaceFile(path, `${JSON.stringify(tickets.map(ticketText))}\n`, 0o600)
}

function keyOf(secret: string): string {
  return KEY_PREFIX + createHash('sha256').update(secret).digest('hex')
}

function refused(reason: string): CloudburstError {
  return new CloudburstError('CB_TICKET_INVALID', `the ticket is refused: ${reason}`)
}
