/** Joins a peer to the simulated mesh that keeps to no rule. */
import type { Identity } from '../../../src/crypto/identity.ts'
import { toErrorData } from '../../../src/errors.ts'
import { type Head, STATE } from '../../../src/protocols/state/messages.ts'
import type { Channel } from '../../../src/protocols/wire/channel.ts'
import { ATTACKS, type Attacker } from './attacks.ts'
import type { Chance } from './chance.ts'
import type { Endpoint, Network } from './network.ts'
import type { SimNode } from './node.ts'
import type { VirtualTime } from './time.ts'

/** Envelopes of honest nodes that an attacker keeps, to use them later. */
const SEEN_MAX = 2_000

/** The others know one another by then, in milliseconds. */
const JOINS_AFTER_MS = 2_000

export interface AttackParts {
  readonly attack: string
  readonly identity: Identity
  readonly honest: readonly SimNode[]
  readonly network: Network
  readonly time: VirtualTime
  readonly chance: Chance
}

/** @returns ends it: from then on the peer is silent */
export function attack(parts: AttackParts): () => void {
  const { identity, honest, network, time } = parts
  let active = true
  const endpoint: Endpoint = {
    peer: identity.peer,
    name: 'mallory',
    neighbours: () => honest.map(({ peer }) => peer),
    handlers: new Map(),
    listeners: { 'peer-up': new Set(), 'peer-down': new Set(), 'peer-denied': new Set() },
    topics: new Map(),
    permits: () => true,
    alive: true,
    slow: 1,
    up: new Map()
  }
  const attacker: Attacker = { ...parts, endpoint, seen: [], active: () => active, answers: () => [] }
  endpoint.handlers.set(STATE, async channel => {
    let pull = (await channel.read()) as { type?: string; have?: readonly Head[] } | undefined
    if (pull?.type === 'compare') {
      await channel.write({ type: 'differs' })
      pull = (await channel.read()) as typeof pull
    }
    for (const message of attacker.answers(pull?.have ?? [], channel.peer)) await channel.write(message)
    await channel.write({ type: 'done', heads: [] })
  })
  time.after(JOINS_AFTER_MS, () => {
    if (!active) return
    network.join(endpoint)
    ATTACKS[parts.attack]!(attacker)
    listen()
  })
  const listen = (): void => {
    if (!active) return
    const victim = parts.chance.pick(honest)
    pullAll(network, endpoint, victim.peer, attacker.seen).catch(() => undefined)
    time.after(700, listen)
  }
  return () => {
    active = false
    network.leave(endpoint, false)
  }
}

/** Everything that somebody gives, in the order in which it was given. */
async function pullAll(network: Network, endpoint: Endpoint, peer: string, seen: Uint8Array[]): Promise<void> {
  const channel: Channel = await network.open(endpoint, peer, STATE)
  await channel.write({ type: 'pull', have: [] })
  for (;;) {
    const message = (await channel.read()) as { type: string; envelopes?: readonly Uint8Array[] } | undefined
    if (message === undefined || message.type !== 'records') break
    seen.push(...(message.envelopes ?? []))
  }
  seen.splice(0, Math.max(0, seen.length - SEEN_MAX))
  channel.abort(new Error(toErrorData(undefined).message))
}
