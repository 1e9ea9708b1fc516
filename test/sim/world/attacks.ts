/**
 * What a peer that is permitted to talk to all may try. It serves state as it likes, and opens what streams it likes; each
 * attack is one entry, named by what it does. An attack goes on until the simulation ends it.
 */
import { seal } from '../../../src/crypto/dsse.ts'
import type { Identity } from '../../../src/crypto/identity.ts'
import { subRunId } from '../../../src/goals/pursuit/remote.ts'
import { AGENCY } from '../../../src/protocols/agency/calls.ts'
import { DISPATCH } from '../../../src/protocols/dispatch/messages.ts'
import { type Head, HEADS_TOPIC, STATE, type StateRecord } from '../../../src/protocols/state/messages.ts'
import { RECORD_TYPE } from '../../../src/protocols/state/record.ts'
import type { Channel } from '../../../src/protocols/wire/channel.ts'
import { encodeMessage } from '../../../src/protocols/wire/codec.ts'
import type { Chance } from './chance.ts'
import { publish } from './gossip.ts'
import type { Endpoint, Network } from './network.ts'
import { EPOCH, identityOf, type SimNode } from './node.ts'
import { FILES, PROGRAM } from './program.ts'
import type { VirtualTime } from './time.ts'

export interface Attacker {
  readonly identity: Identity
  readonly endpoint: Endpoint
  readonly network: Network
  readonly time: VirtualTime
  readonly chance: Chance
  readonly honest: readonly SimNode[]
  /** Every envelope of honest nodes that it has seen, oldest first. */
  readonly seen: Uint8Array[]
  /** Whether the attack still goes on. */
  readonly active: () => boolean
  /** Answers pulls of honest nodes with these messages; by default with nothing but `done`. */
  answers: (have: readonly Head[], victim: string) => readonly unknown[]
}

export type Attack = (attacker: Attacker) => void

/** A record of anybody, signed by the attacker. */
function record(by: Attacker, seq: number, more: Partial<StateRecord> = {}, identity = by.identity): Uint8Array {
  const body: StateRecord = {
    origin: identity.peer,
    name: 'mallory',
    boot: EPOCH,
    nonce: '0badc0de',
    seq,
    snapshot: seq === 1,
    transaction: { id: 't', at: EPOCH, changes: [{ path: 'a', value: { value: seq }, revision: seq }] },
    ...more
  }
  return seal(identity, RECORD_TYPE, encodeMessage(body))
}

/** The record as its owner made it, said differently by `change`, under the owner's signature. */
function tampered(
  envelope: Uint8Array,
  change: (parts: { payload: string; signatures: { keyid: string; sig: string }[] }) => void
): Uint8Array {
  const parts = JSON.parse(Buffer.from(envelope).toString())
  change(parts)
  return Buffer.from(JSON.stringify(parts))
}

function flipped(base64: string, at: number): string {
  const bytes = Buffer.from(base64, 'base64')
  bytes[at % bytes.length]! ^= 1
  return bytes.toString('base64')
}

const records = (...envelopes: readonly Uint8Array[]): unknown => ({ type: 'records', envelopes })

/** Does it again and again, that often in milliseconds. */
function often(by: Attacker, everyMs: number, what: () => void): void {
  by.time.after(everyMs, () => {
    if (!by.active()) return
    what()
    often(by, everyMs, what)
  })
}

/** Opens a stream to somebody and does with it what it likes. */
function stream(by: Attacker, protocol: string, use: (channel: Channel, victim: SimNode) => Promise<void>): void {
  const victim = by.chance.pick(by.honest)
  const talk = async (): Promise<void> => use(await by.network.open(by.endpoint, victim.peer, protocol), victim)
  talk().catch(() => undefined)
}

/** Reads until the other end has had enough. */
async function drain(channel: Channel): Promise<void> {
  for (;;) if ((await channel.read()) === undefined) return
}

/** Says one thing and reads whatever comes. */
async function say(channel: Channel, message: unknown): Promise<void> {
  await channel.write(message)
  await drain(channel)
}

function announce(by: Attacker, message: unknown): void {
  publish(by.network, by.endpoint, HEADS_TOPIC, message instanceof Uint8Array ? message : encodeMessage(message))
}

const liar = (origin: string, seq = 1_000_000_000): Head => ({ origin, boot: EPOCH + 86_400_000, nonce: 'ffffffff', seq })

const request = (by: Attacker, victim: SimNode, more: object = {}): unknown => ({
  type: 'request',
  id: `01${by.chance.hex(24).toUpperCase()}`,
  goal: 'short',
  program: { name: PROGRAM.name, hash: PROGRAM.hash },
  mode: 'pursue',
  assignments: [],
  chain: [],
  acceptBefore: victim.now() + 5_000,
  ...more
})

/** Asks one node for a goal, and gives it the program if it has none. */
async function asked(by: Attacker, node: SimNode, more: object): Promise<void> {
  const channel = await by.network.open(by.endpoint, node.peer, DISPATCH)
  await channel.write(request(by, node, more))
  const answer = (await channel.read()) as { type?: string } | undefined
  if (answer?.type === 'need-program') await say(channel, { type: 'program', files: FILES })
}

/** Ids of goals that honest nodes have. */
const theirGoals = (by: Attacker): readonly string[] => by.honest.flatMap(node => node.daemon?.journal.runs().map(({ id }) => id) ?? [])

export const ATTACKS: Readonly<Record<string, Attack>> = {
  'a payload changed in one bit': by => {
    by.answers = () => [
      records(...by.seen.map(each => tampered(each, parts => (parts.payload = flipped(parts.payload, by.chance.int(200))))))
    ]
  },
  'a signature changed in one bit': by => {
    by.answers = () => [
      records(...by.seen.map(each => tampered(each, parts => (parts.signatures[0]!.sig = flipped(parts.signatures[0]!.sig, 5)))))
    ]
  },
  'the signature of another record': by => {
    by.answers = () => {
      const [a, b] = [by.seen[0], by.seen.at(-1)]
      if (a === undefined || b === undefined) return []
      const { sig } = JSON.parse(Buffer.from(a).toString()).signatures[0]
      return [records(tampered(b, parts => (parts.signatures[0]!.sig = sig)))]
    }
  },
  'a record in the name of somebody else': by => {
    by.answers = have => {
      const others = have.filter(({ origin }) => origin !== by.identity.peer)
      return [records(...others.map(({ origin, boot, nonce, seq }) => record(by, seq + 1, { origin, boot, nonce, name: 'n1' })))]
    }
  },
  'a record of itself that says it is from somebody else': by => {
    by.answers = () =>
      by.honest.map(({ peer }) => {
        const own = record(by, 1, { origin: peer, boot: EPOCH * 2 })
        return records(tampered(own, parts => (parts.signatures[0]!.keyid = peer)))
      })
  },
  'records of earlier boots': by => {
    by.answers = () => [records(...by.seen.slice(0, 20))]
  },
  'every other record left out': by => {
    by.answers = () => [records(...by.seen.slice(-40).filter((_, at) => at % 2 === 0))]
  },
  'records in reverse order': by => {
    by.answers = () => [records(...by.seen.slice(-30).reverse())]
  },
  'the same records a hundred times': by => {
    by.answers = () => Array.from({ length: 100 }, () => records(...by.seen.slice(-5)))
  },
  'two records of one number': by => {
    by.answers = () => [records(record(by, 1), record(by, 2, { transaction: { id: 'x', at: by.chance.int(1_000), changes: [] } }))]
  },
  'another history for everybody': by => {
    by.answers = have => [records(record(by, 1, { transaction: { id: `for ${have.length}`, at: by.chance.int(1e6), changes: [] } }))]
  },
  'one history for each': by => {
    by.answers = (have, victim) => {
      if (have.some(({ origin }) => origin === by.identity.peer)) return []
      const changes = [{ path: 'a', value: { value: victim }, revision: 1 }]
      return [records(record(by, 1, { transaction: { id: 't', at: 1, changes } }))]
    }
  },
  'records without end': by => {
    let seq = 0
    by.answers = () => Array.from({ length: 20 }, () => records(...Array.from({ length: 50 }, () => record(by, ++seq))))
  },
  'snapshots without end': by => {
    let seq = 0
    by.answers = () => [records(...Array.from({ length: 100 }, () => record(by, ++seq, { snapshot: true })))]
  },
  'a record that is too long': by => {
    const value = { value: 'x'.repeat(100_000) }
    by.answers = () => [records(record(by, 1, { transaction: { id: 't', at: 1, changes: [{ path: 'a', value, revision: 1 }] } }))]
  },
  'a history of many megabytes': by => {
    let seq = 0
    const value = { value: 'x'.repeat(60_000) }
    const large = (): Uint8Array =>
      record(by, ++seq, { transaction: { id: 't', at: 1, changes: [{ path: `p${seq}`, value, revision: 1 }] } })
    by.answers = () => [records(...Array.from({ length: 10 }, large))]
  },
  'a transaction that never ends': by => {
    let seq = 0
    by.answers = () => [records(...Array.from({ length: 50 }, () => record(by, ++seq, { more: true })))]
  },
  'heads that nobody has': by => {
    by.answers = () => [{ type: 'done', heads: by.honest.map(({ peer }) => liar(peer)) }]
    often(by, 200, () => announce(by, { heads: by.honest.map(({ peer }) => liar(peer)) }))
  },
  'origins made up by the thousand': by => {
    let made = 10_000
    by.answers = () => [records(...Array.from({ length: 40 }, () => record(by, 1, { name: `s${made}` }, identityOf(made++))))]
  },
  'forks that are not proved': by => {
    by.answers = () => {
      const [a, b] = by.seen.slice(-2)
      return a === undefined || b === undefined
        ? []
        : [
            { type: 'fork', proof: [a, a] },
            { type: 'fork', proof: [a, b] }
          ]
    }
  },
  'a fork of somebody else by its own words': by => {
    by.answers = () =>
      by.honest.map(({ peer }) => ({ type: 'fork', proof: [record(by, 1, { origin: peer }), record(by, 1, { origin: peer, name: 'x' })] }))
  },
  'the name of somebody else': by => {
    by.answers = () => [records(record(by, 1, { name: by.honest[0]!.name }))]
  },
  'names that are none': by => {
    const changes = ['__proto__.polluted', 'constructor.prototype.polluted', '..', '', 'a..b'].map(path => ({
      path,
      value: { value: 1 },
      revision: 1
    }))
    by.answers = () => changes.map(change => records(record(by, 1, { transaction: { id: 't', at: 1, changes: [change] } })))
  },
  'the last boot there can be': by => {
    by.answers = () => [records(record(by, 1, { boot: 2 ** 50 }), record(by, 1, { boot: Number.MAX_SAFE_INTEGER }))]
  },
  'answers that are none': by => {
    by.answers = () => [{ type: 'records', envelopes: 'many' }, { type: 'hello' }, [1, 2, 3], { type: 'done', heads: [{ origin: 7 }] }]
  },
  'an answer that never comes': by => {
    by.endpoint.handlers.set(STATE, async channel => {
      await channel.read()
      await new Promise(() => undefined)
    })
  },
  'an answer a drop at a time': by => {
    by.endpoint.handlers.set(STATE, async channel => {
      while (by.active()) {
        await by.time.sleep(1_000)
        await channel.write(records())
      }
    })
  },
  'pulls by the hundred': by => {
    often(by, 100, () => {
      for (let each = 0; each < 20; each++) stream(by, STATE, async channel => say(channel, { type: 'pull', have: [] }))
    })
  },
  'pulls that are not read': by => {
    often(by, 50, () => stream(by, STATE, async channel => await channel.write({ type: 'pull', have: [] })))
  },
  'streams without a word': by => {
    often(by, 20, () => stream(by, by.chance.pick([STATE, DISPATCH, AGENCY]), async () => await new Promise(() => undefined)))
  },
  'a vector of too many origins': by => {
    const have = Array.from({ length: 5_000 }, (_, at) => liar(`12D3KooW${String(at).padStart(44, '1')}`))
    often(by, 500, () => stream(by, STATE, async channel => say(channel, { type: 'pull', have })))
  },
  'announcements by the thousand': by => {
    often(by, 10, () => {
      for (let each = 0; each < 10; each++) announce(by, { heads: [liar(by.chance.pick(by.honest).peer, by.chance.int(1e9))] })
    })
  },
  'announcements that are none': by => {
    often(by, 50, () => {
      announce(by, Buffer.from(by.chance.hex(200), 'hex'))
      announce(by, Buffer.alloc(200_000, 0xff))
      announce(by, { heads: 'none' })
    })
  },
  'following the goals of others': by => {
    often(by, 200, () => {
      const id = by.chance.pick(theirGoals(by))
      if (id === undefined) return
      stream(by, DISPATCH, async (channel, victim) => {
        await channel.write({ type: 'follow', id, from: 1 })
        const answer = (await channel.read()) as { type?: string } | undefined
        if (answer?.type === 'accepted' || answer?.type === 'event') throw leaked(`${victim.name} told a stranger of ${id}`)
      })
    })
  },
  'asking for goals under ids of others': by => {
    often(by, 200, () => {
      const id = by.chance.pick(theirGoals(by))
      if (id !== undefined) stream(by, DISPATCH, async (channel, victim) => say(channel, request(by, victim, { id })))
    })
  },
  'taking the ids of sub-goals that are to come': by => {
    // The state of all nodes names their goals, the program what these ask for: the rest can be worked out.
    often(by, 10, () => {
      const runs = by.honest.flatMap(({ daemon }) => daemon?.journal.runs() ?? [])
      const root = runs.find(({ goal, status }) => goal === 'outer' && status === 'pursuing' && by.chance.once(0.5))?.id
      if (root === undefined) return
      for (const node of by.honest) {
        const first = subRunId(root, 'short', {}, node.peer)
        for (const id of [first, subRunId(first, 'again', {}, '')])
          void asked(by, node, { id, chain: [`${root}:outer`] }).catch(() => undefined)
      }
    })
  },
  'the same request on many streams': by => {
    often(by, 1_000, () => {
      const same = request(by, by.honest[0]!)
      for (let each = 0; each < 30; each++) stream(by, DISPATCH, async channel => say(channel, same))
    })
  },
  'requests whose program never comes': by => {
    often(by, 300, () =>
      stream(by, DISPATCH, async (channel, victim) => {
        await channel.write(request(by, victim, { program: { name: 'none', hash: by.chance.hex(64) } }))
        await channel.read()
      })
    )
  },
  'another program than was asked for': by => {
    often(by, 300, () =>
      stream(by, DISPATCH, async (channel, victim) => {
        await channel.write(request(by, victim, { program: { name: 'none', hash: by.chance.hex(64) } }))
        await channel.read()
        await channel.write({ type: 'program', files: FILES })
        await drain(channel)
      })
    )
  },
  'requests out of every form': by => {
    const forms = [
      { type: 'program', files: [] },
      { type: 'request' },
      { type: 'follow', id: '../../etc', from: -1 },
      { type: 'follow', id: '0'.repeat(26), from: 2 ** 53 },
      { type: 'heartbeat' },
      null,
      'x'.repeat(10_000)
    ]
    often(by, 50, () => stream(by, DISPATCH, async channel => say(channel, by.chance.pick(forms))))
  },
  'calls out of every form': by => {
    const forms = [{}, { type: 'call', name: '__proto__', request: {} }, { type: 'call', call: 'goals', request: { limit: -1 } }, [[[]]], 7]
    often(by, 50, () => stream(by, AGENCY, async channel => say(channel, by.chance.pick(forms))))
  },
  'connections that come and go': by => {
    often(by, 100, () => stream(by, STATE, async channel => channel.abort(new Error('bye'))))
  }
}

/** Something that the attacker must not have got. */
export class Leaked extends Error {}

const leaks: string[] = []
function leaked(what: string): Leaked {
  leaks.push(what)
  return new Leaked(what)
}

/** What was told to the attacker since the last call. */
export function takeLeaks(): readonly string[] {
  return leaks.splice(0)
}
