/** Every kind of caller at every door. */
import { capabilities } from '../../src/crypto/capability.ts'
import { sealGrant } from '../../src/crypto/grant.ts'
import { generateIdentity } from '../../src/crypto/identity.ts'
import { sealRevocations } from '../../src/crypto/revocation.ts'
import { CloudburstError } from '../../src/errors.ts'
import { callCapability, type CallName } from '../../src/protocols/agency/calls.ts'
import { addPermit } from '../../src/node/permissions/permissions.ts'
import { doors } from '../../src/node/permissions/doors.ts'
import { replaceFile } from '../../src/node/files/atomic-file.ts'
import { permissionsText } from '../../src/node/permissions/sample.ts'
import { FOREVER } from '../node/mesh/testbed.ts'
import { type Entry, entries, type Limit } from './entries.ts'
import type { SessionHello } from '../../src/protocols/session/messages.ts'
import { type Guest, HELLO, openGuest } from './guest.ts'
import { GOAL, type Host, openHost } from './host.ts'

export const subjects = [
  'stranger',
  'expired',
  'revoked',
  'without the capability',
  'limited by program',
  'limited by goal',
  'limited by vars',
  'limited to what it asks',
  'full',
  'full, by a grant',
  'by a grant of somebody else',
  'by a grant that was taken back',
  'replaying'
] as const
export type SubjectName = (typeof subjects)[number]

/** One caller at one door, and how it came out. */
export interface Cell {
  readonly subject: SubjectName
  readonly entry: Entry
  /** Whether it was to get in, and whether it did: an effect at the host, or an answer. */
  readonly expected: boolean
  readonly gotIn: boolean
  /** What the host did for it. */
  readonly effects: readonly string[]
  readonly error?: unknown
}

const limits: Readonly<Partial<Record<SubjectName, Limit>>> = {
  'limited by program': 'program',
  'limited by goal': 'goal',
  'limited by vars': 'vars'
}

const OVER = '2020-01-01T00:00:00Z/2021-01-01T00:00:00Z'

/** Tries everything, one cell after the other; `only` names some of the subjects, or their order. */
export async function* matrix(only: readonly SubjectName[] = subjects): AsyncGenerator<Cell> {
  const tried = entries()
  const host = await openHost()
  try {
    for (const subject of only) {
      const guest = await openSubject(host, subject)
      const hello = helloOf(host, guest, subject)
      try {
        for (const entry of tried) {
          if (subject === 'without the capability') withhold(host, guest, entry)
          yield await tryOne(host, guest, subject, entry, hello)
        }
      } finally {
        await guest.close()
      }
    }
  } finally {
    await host.close()
  }
}

/** Whether a cell came out otherwise than it was to. */
export function isWrong({ expected, gotIn, effects }: Cell): boolean {
  return gotIn !== expected || (!expected && effects.length > 0)
}

export function describeCell({ subject, entry, expected, gotIn, effects, error }: Cell): string {
  const how = error instanceof Error ? `: ${error.message.slice(0, 160)}` : ''
  return `${subject} at ${entry.door} (${entry.what}) was ${expected ? '' : 'not '}to get in, and did${gotIn ? '' : ' not'}; effects: ${effects.join(', ') || 'none'}${how}`
}

async function tryOne(host: Host, guest: Guest, subject: SubjectName, entry: Entry, hello: SessionHello): Promise<Cell> {
  const before = host.effects.length
  let answered = false
  let error: unknown
  try {
    // Whoever has no permit tries the door itself; a replay begins with the hello that was heard.
    if (subject !== 'stranger' && subject !== 'revoked') await guest.connect(hello).catch(() => undefined)
    await entry.attempt(guest, host)
    answered = true
  } catch (caught) {
    error = caught
  }
  const effects = host.effects.slice(before)
  // A command that begins with a question it may ask got in only if it was not denied after it.
  const denied = error instanceof CloudburstError && error.code === 'CB_DENIED'
  const gotIn = !denied && (entry.uncounted ? answered : effects.length > 0)
  return { subject, entry, expected: expected(subject, entry), gotIn, effects: gotIn ? effects : effects.filter(isEffect), error }
}

/** What a verb looks up before it is denied is no effect, nor is a preview without any values. */
function isEffect(name: string): boolean {
  return name !== 'preview' && callCapability[name as CallName] !== 'agency:inspect'
}

function expected(subject: SubjectName, { door, shut, nobody, unfit }: Entry): boolean {
  if (nobody) return false
  if (subject === 'without the capability') return needsOf(door).some(need => need === 'permit' || need === 'greeting')
  if (subject === 'limited to what it asks') return unfit !== true
  if (subject === 'full' || subject === 'full, by a grant') return true
  const limit = limits[subject]
  return limit !== undefined && !shut.includes(limit)
}

/** Permits everything but what the door needs; a verb needs several things, and gets none. */
function withhold(host: Host, guest: Guest, { door }: Entry): void {
  const needs = needsOf(door)
  const first = needs[0] === 'call' ? 'agency:hello' : needs[0]
  const kept = door.startsWith('verb ') ? (['permission:admin'] as const) : capabilities.filter(each => each !== first)
  // In one go: a moment without any permit would cost the connection.
  replaceFile(host.node.home.permissions, permissionsText(), 0o644)
  permit(host, guest, FOREVER, { capabilities: kept })
}

function needsOf(door: string): readonly string[] {
  return doors.find(({ kind, name }) => door === `${kind} ${name}`)!.needs
}

function permit({ node: { home, permissions } }: Host, guest: Guest, lifetime: string, some: object): void {
  const email = 'guest@example.org'
  addPermit(home.permissions, { email, peer: guest.identity.peer, capabilities: [...capabilities], lifetime, ...some })
  permissions.reload()
}

function clear({ node: { home, permissions } }: Host): void {
  replaceFile(home.permissions, permissionsText(), 0o644)
  permissions.reload()
}

function trustAuthority({ authority, node: { home, permissions } }: Host): void {
  const element = `<authority name="ops" key="${authority.peer}" capability="${capabilities.join(' ')}"/>`
  replaceFile(home.permissions, permissionsText().replace('</permissions>', `${element}</permissions>`), 0o644)
  permissions.reload()
}

/** What the caller says of itself each time: also the grant of another key, for the eyes of whoever looks at grants alone. */
function helloOf({ authority }: Host, { identity }: Guest, subject: SubjectName): SessionHello {
  if (!subject.includes('by a grant')) return HELLO
  const holder = subject === 'by a grant of somebody else' ? generateIdentity() : identity
  const at = Date.now()
  const words = { id: 'g1', subject: holder.peer, email: 'guest@example.org', at, notBefore: at, expiry: at + 3_600_000 }
  return { ...HELLO, grants: [sealGrant(authority, { ...words, allows: [{ capabilities: [...capabilities] }] })] }
}

async function openSubject(host: Host, subject: SubjectName): Promise<Guest> {
  const guest = await openGuest(host)
  clear(host)
  switch (subject) {
    case 'stranger':
    case 'replaying':
    case 'without the capability':
      break
    case 'expired':
      permit(host, guest, OVER, {})
      break
    case 'revoked':
      permit(host, guest, FOREVER, {})
      await guest.connect()
      clear(host)
      break
    case 'limited by program':
      permit(host, guest, FOREVER, { programs: ['other'] })
      break
    case 'limited by goal':
      permit(host, guest, FOREVER, { goals: ['other'] })
      break
    case 'limited by vars':
      permit(host, guest, FOREVER, { vars: ['other'] })
      break
    case 'limited to what it asks':
      permit(host, guest, FOREVER, { programs: [host.hash], goals: [GOAL] })
      break
    case 'full':
      permit(host, guest, FOREVER, {})
      break
    case 'full, by a grant':
    case 'by a grant of somebody else':
      trustAuthority(host)
      break
    case 'by a grant that was taken back': {
      trustAuthority(host)
      const at = Date.now()
      const revoked = [{ subject: guest.identity.peer, before: at + 60_000, until: at + 3_600_000 }]
      host.node.trust.take(sealRevocations(host.authority, { number: 1, at, revoked }))
      break
    }
  }
  return guest
}
