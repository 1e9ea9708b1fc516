/** What the two nodes of a ticket write down: each makes the other a neighbour with a permit. */
import { isNodeName } from '../neighborhood/read.ts'
import type { Home } from '../home.ts'
import { liveFile, type Log } from '../files/live-file.ts'
import type { Joining, Newcomer } from '../mesh.ts'
import { dialable } from '../mesh/dialable.ts'
import { addNeighbour, type LiveNeighborhood } from '../neighborhood/neighborhood.ts'
import type { Permit } from '../permissions/decide.ts'
import { endOf, holds } from '../permissions/lifetime.ts'
import { addAuthority, addPermit, type LivePermissions } from '../permissions/permissions.ts'
import { parsePending, removePending, type Ticket, type Tickets } from './tickets.ts'

/** How long a permit that a ticket makes is good, in days: a machine that nobody renewed for a year is forgotten. */
export const JOINED_PERMIT_DAYS = 365
/** Most addresses of a newcomer that are written down. */
const ADDRESSES_MAX = 8

export interface JoiningOptions {
  readonly home: Home
  readonly neighborhood: LiveNeighborhood
  readonly permissions: LivePermissions
  readonly tickets: Pick<Tickets, 'outstanding' | 'use'>
  /** Takes in a grant of this node. Durable on return. */
  readonly take: (envelope: Uint8Array) => unknown
  readonly log: Log
  readonly now?: () => number
}

/**
 * Joining with real files. A waiting ticket is noticed whenever it is put there.
 * @throws CloudburstError CB_FILE_UNSAFE, CB_TICKET_INVALID when the file of waiting tickets is spoiled
 */
export function makeJoining({
  home,
  neighborhood,
  permissions,
  tickets,
  take,
  log,
  now = Date.now
}: JoiningOptions): Joining & { close(): void } {
  const waiting = liveFile({ path: home.tickets, read: parsePending, absent: [], log })
  const drop = (peer: string): void => {
    removePending(home.tickets, peer)
    waiting.reload()
  }
  const neighbour = ({ peer, name, addresses }: Newcomer): { readonly name: string } => {
    const known = isNodeName(name) ? name : peer.slice(-8)
    return addNeighbour(home.neighborhood, { peer, name: known, addresses: plainAddresses(addresses) })
  }
  const meet = (newcomer: Newcomer): void => {
    neighbour(newcomer)
    neighborhood.reload()
  }
  const write = (newcomer: Newcomer, capabilities: Ticket['capabilities'], email?: string): void => {
    const { peer } = newcomer
    const lifetime = `${new Date(now()).toISOString().slice(0, 19)}Z/P${JOINED_PERMIT_DAYS}D`
    const permit = { email: email ?? `node@${neighbour(newcomer).name}`, peer, capabilities, lifetime }
    permissions.reload()
    // A delivery that was killed is begun again, and presents a second ticket for the same node.
    if (!permissions.current.permits.some(there => isSame(there, permit, now()))) addPermit(home.permissions, permit)
    permissions.reload()
    neighborhood.reload()
  }
  /** An authority vouches for both. Its grant has to be there when the ticket is presented: the two are shown in one word. */
  const believe = (): void => {
    for (const { granted, peer } of waiting.current) {
      if (granted === undefined) continue
      try {
        addAuthority(home.permissions, granted.element)
        permissions.reload()
        take(Buffer.from(granted.grant))
      } catch (err) {
        log.error({ peer, err }, 'what came with the ticket for this node cannot be believed')
      }
    }
  }
  believe()
  const ends = waiting.onChange(believe)
  const pending = (peer: string): Ticket | undefined => waiting.current.find(ticket => ticket.peer === peer && ticket.expiry > now())
  return {
    tickets,
    pending,
    waiting: () => waiting.current,
    onChange: listener => waiting.onChange(listener),
    close: () => {
      ends()
      waiting.close()
    },
    admit: (guest, record) => {
      if (record.granted === undefined) return write(guest, record.capabilities, record.email)
      meet(guest)
    },
    joined(host) {
      const ticket = pending(host.peer)
      if (ticket?.granted !== undefined) meet(host)
      else if (ticket !== undefined) write(host, [...new Set([...ticket.capabilities, ...(ticket.ours ?? [])])])
      drop(host.peer)
    },
    refused(peer, reason) {
      log.error({ peer, reason }, 'the ticket for this node was refused: ask there for a new one')
      drop(peer)
    }
  }
}

/** Whether a permit says what a new one would, and goes on saying it for half of the time at least. */
function isSame(there: Permit, made: Pick<Permit, 'email' | 'capabilities'> & { readonly peer: string }, now: number): boolean {
  const { programs, goals, vars, on, concurrent, fresh } = there
  return (
    there.peer === made.peer &&
    there.email === made.email &&
    [programs, goals, vars, on, concurrent, fresh].every(bound => bound === undefined) &&
    there.capabilities.toSorted().join() === made.capabilities.toSorted().join() &&
    endOf(there.lifetime, now) > now + (JOINED_PERMIT_DAYS / 2) * 86_400_000 &&
    holds(there.lifetime, now, now)
  )
}

/** TCP addresses without /p2p/, as neighborhood.xml has them. */
function plainAddresses(addresses: readonly string[]): string[] {
  return dialable(addresses)
    .filter(address => address.getComponents().some(({ name }) => name === 'tcp'))
    .map(address => address.toString().replace(/\/p2p\/[^/]+$/, ''))
    .slice(0, ADDRESSES_MAX)
}
