/**
 * What must hold, whatever happens. Watched while time passes: no step done twice, events without gap or repeat and the same
 * on every node, nothing told that is not so later, no record that its owner did not sign. Looked at in the end: no goal
 * lost, everybody of one mind.
 */
import { createHash } from 'node:crypto'
import type { GoalEvent } from '../../../src/goals/pursuit/events.ts'
import type { Head } from '../../../src/protocols/state/messages.ts'
import { compareBoots } from '../../../src/protocols/state/origin.ts'
import { sameTree } from '../../../src/protocols/state/same-tree.ts'
import { decodeMessage, encodeMessage } from '../../../src/protocols/wire/codec.ts'
import type { Replica } from '../../../src/protocols/state/replica.ts'
import type { Daemon, SimNode } from './node.ts'
import type { Ledger } from './machine.ts'

/** A goal that somebody was told is seen to. */
export interface Acknowledged {
  readonly id: string
  readonly goal: string
  readonly from: SimNode
  readonly to: SimNode
}

/** What no goal may fail by: ids are many. */
const IS_TAKEN = /exists (here )?already/

export class Watch {
  readonly violations: string[] = []
  readonly goals: Acknowledged[] = []
  readonly hash = createHash('sha256')
  /** Bytes that were signed by the node itself, by peer id: hash of each payload. */
  readonly signed = new Map<string, Set<string>>()
  /** Peer id of somebody whose goals are nobody's business here. */
  hostile = ''
  /** Say of a goal whether it was at work where a whole disk was put back or doubled: it may be lost there, or done twice. */
  readonly rewound: ((goalId: string) => boolean)[] = []
  readonly #events = new Map<string, string[]>()
  readonly #ledger: Ledger
  readonly #now: () => number

  constructor(ledger: Ledger, now: () => number) {
    this.#ledger = ledger
    this.#now = now
    ledger.onTwice = what => this.violated(`run twice: ${what}`)
    ledger.isRewound = id => this.isRewound(id)
  }

  isRewound(goalId: string): boolean {
    return this.rewound.some(had => had(goalId))
  }

  violated(what: string): void {
    this.note(`! ${what}`)
    if (this.violations.length < 20) this.violations.push(`${(this.#now() / 1000).toFixed(3)} s: ${what}`)
  }

  /** Joins the trace, by which two runs of one seed are compared. */
  note(what: string): void {
    this.hash.update(`${this.#now().toFixed(3)} ${what}\n`)
  }

  /** Follows a daemon from its start: all it tells is durable. */
  async follow(node: SimNode, daemon: Daemon): Promise<void> {
    for await (const { id, by } of daemon.journal.summaries()) if (by.peer === this.hostile) this.#ledger.foreign.add(`${node.name} ${id}`)
    const next = new Map<string, number>()
    // What could not be written may be there all the same, and is told to nobody: who follows looks into the journal then.
    daemon.store.onState(() => next.clear())
    daemon.journal.subscribe('*', event => {
      const expected = next.get(event.goalId)
      if (expected !== undefined && event.seq !== expected)
        this.violated(`${node.name} told event ${event.seq} of ${event.goalId} where ${expected} was due`)
      next.set(event.goalId, event.seq + 1)
      this.#compare(node, event)
    })
    if (daemon.journal.damaged.size > 0)
      this.violated(
        `${node.name} found damaged goals: ${[...daemon.journal.damaged].map(([id, { reason }]) => `${id}: ${reason}`).join(', ')}`
      )
  }

  /** An event once told is that event for ever, everywhere. */
  #compare(node: SimNode, event: GoalEvent): void {
    const name = `${node.name} ${event.goalId}`
    if (event.body.type === 'proposed' && event.body.by.peer === this.hostile) this.#ledger.foreign.add(name)
    if (this.#ledger.foreign.has(name)) return
    if (event.body.type === 'step-ended' && IS_TAKEN.test(event.body.reason ?? ''))
      this.violated(`${node.name} could not ask for a part of ${event.goalId}: ${event.body.reason}`)
    const told = this.#events.get(event.goalId) ?? []
    this.#events.set(event.goalId, told)
    const print = createHash('sha256')
      .update(encodeMessage([event.seq, event.at, toldOf(event.body)]))
      .digest('base64')
    const before = told[event.seq - 1]
    if (before !== undefined && before !== print && !this.isRewound(event.goalId))
      this.violated(`${node.name} tells another event ${event.seq} of ${event.goalId} (${event.body.type}) than was told before`)
    told[event.seq - 1] = print
    this.note(`${node.name} ${event.goalId} ${event.seq} ${event.body.type} ${print}`)
  }

  /** In the end, when everything is up, connected and quiet. */
  async settle(nodes: readonly SimNode[]): Promise<void> {
    for (const goal of this.goals) await this.#goal(goal)
    for (const node of nodes) await this.#journal(node)
    this.#replicas(nodes)
    this.note(`digest ${nodes[0]?.daemon?.state.replica.digest()}`)
  }

  async #goal({ id, goal, from, to }: Acknowledged): Promise<void> {
    if (this.isRewound(id)) return
    const there = await to.daemon!.journal.summary(id)
    if (from === to) {
      if (there === undefined) return this.violated(`goal lost: ${goal} ${id} of ${from.name} itself is gone`)
      if (!isOver(there.status)) this.violated(`goal stuck: ${goal} ${id} of ${from.name} itself is ${there.status}`)
      return
    }
    const record = await from.daemon!.dispatches.find(id)
    if (record === undefined) return this.violated(`goal lost: ${from.name} does not know ${goal} ${id}, which it took for ${to.name}`)
    const ran = this.#ledger.of(id).length
    if (record.state === 'refused') {
      if (there !== undefined || ran > 0)
        this.violated(`refused, but run: ${goal} ${id} was reported as not accepted by ${to.name} (${record.error?.message})`)
      return
    }
    if (record.state !== 'done')
      return this.violated(`goal stuck: ${goal} ${id} from ${from.name} to ${to.name} is ${record.state} (${there?.status} there)`)
    const here = await from.daemon!.journal.summary(id)
    if (there === undefined || here === undefined)
      return this.violated(`goal lost: ${goal} ${id} is done, but known ${here === undefined ? '' : 'only '}at ${from.name}`)
    const same =
      here.seq === there.seq && here.status === there.status && sameTree({ fields: here.results ?? {} }, { fields: there.results ?? {} })
    if (!same) this.violated(`${goal} ${id} is ${here.status} (${here.seq}) at ${from.name}, ${there.status} (${there.seq}) at ${to.name}`)
  }

  /** What is on disk is what was told, from the first event on. */
  async #journal(node: SimNode): Promise<void> {
    const { journal } = node.daemon!
    for (const { id, status } of journal.runs()) {
      const events = await journal.readDurable(id)
      const told = this.#events.get(id) ?? []
      events.forEach((event, at) => {
        if (event.seq !== at + 1) this.violated(`${node.name} holds event ${event.seq} of ${id} in place ${at + 1}`)
        else this.#compare(node, event)
      })
      if (isOver(status) && !this.isRewound(id) && !this.#ledger.foreign.has(`${node.name} ${id}`) && events.length < told.length)
        this.violated(`${node.name} holds ${events.length} events of ${id}, of which ${told.length} were told`)
      const damage = await journal.verify(id)
      if (damage !== undefined) this.violated(`${node.name}: ${damage.reason}`)
    }
  }

  #replicas(nodes: readonly SimNode[]): void {
    const [first] = nodes
    const expected = first?.daemon?.state.replica.digest()
    for (const node of nodes) {
      const replica = node.daemon!.state.replica
      if (replica.digest() !== expected) this.violated(`replicas differ: ${node.name} from ${first?.name}`)
      for (const { name } of replica.forks().filter(({ origin }) => this.signed.has(origin)))
        this.violated(`${node.name} takes honest ${name} for two`)
      const known = new Set(replica.heads().map(({ origin }) => origin))
      for (const owner of nodes) if (!known.has(owner.peer)) this.violated(`${node.name} knows nothing of ${owner.name}`)
      this.#genuine(node, replica)
    }
  }

  /** Every record held of an honest node is one that it published. */
  #genuine(node: SimNode, replica: Replica): void {
    for (const envelope of replica.missing([]).envelopes) {
      const { origin, print } = signedIn(envelope)
      if (this.signed.get(origin)?.has(print) === false)
        this.violated(`forged: ${node.name} holds a record of ${origin} that it never published`)
    }
  }

  /** What is known of an origin never goes back, and was published by it. */
  #forward(node: SimNode, replica: Replica, before: Map<string, Head>): void {
    for (const head of replica.heads()) {
      const known = before.get(head.origin)
      if (known !== undefined && !head.fork && compareBoots(head, known) < 0)
        this.violated(`${node.name} has gone back to an earlier boot of ${head.origin}`)
      if (known?.print !== head.print && head.origin !== node.peer && this.signed.has(head.origin)) this.#latest(node, replica, head)
      before.set(head.origin, head)
    }
  }

  #latest(node: SimNode, replica: Replica, head: Head): void {
    const { print: _, ...before } = { ...head, seq: head.seq - 1 }
    for (const envelope of replica.missing([before], [head.origin]).envelopes) {
      const { origin, print } = signedIn(envelope)
      if (this.signed.get(origin)?.has(print) === false)
        this.violated(`forged: ${node.name} holds a record of ${origin} that it never published`)
    }
  }

  /** Writes down what a node signs from now on. */
  listen(node: SimNode, daemon: Daemon): void {
    const { replica } = daemon.state
    const signed = this.signed.get(node.peer) ?? new Set()
    this.signed.set(node.peer, signed)
    let known: Head | undefined
    const heads = new Map<string, Head>()
    replica.subscribe(({ published }) => {
      if (this.hostile !== '') this.#forward(node, replica, heads)
      if (published === undefined) return
      const have = known === undefined ? [] : [known]
      for (const envelope of replica.missing(have, [node.peer]).envelopes) signed.add(signedIn(envelope).print)
      known = published
    })
  }
}

/** What is told of an event: the asks by which a goal came are for the node that pursues it. */
function toldOf(body: GoalEvent['body']): object {
  if (!('by' in body)) return body
  const { behalf: _, ...by } = body.by
  return { ...body, by }
}

interface Signed {
  readonly origin: string
  readonly print: string
}
/** What was read of each envelope: the product keeps one copy of equal ones. */
const read = new WeakMap<Uint8Array, Signed>()

/** Whose record is in an envelope, by its own words, and the print of what is signed. */
function signedIn(envelope: Uint8Array): Signed {
  const known = read.get(envelope)
  if (known !== undefined) return known
  const { payload } = JSON.parse(Buffer.from(envelope).toString()) as { payload: string }
  const { origin } = decodeMessage(Buffer.from(payload, 'base64')) as { origin: string }
  const signed = { origin, print: createHash('sha256').update(payload).digest('base64') }
  read.set(envelope, signed)
  return signed
}

export function isOver(status: string | undefined): boolean {
  return status === 'completed' || status === 'cancelled'
}
