/** People: they send goals, look after those that are suspended, and now and then give one up. */
import type { Chance } from './chance.ts'
import { isOver, type Watch } from './invariants.ts'
import type { Ledger } from './machine.ts'
import type { Daemon, SimNode } from './node.ts'
import { FILES, GOALS, PROGRAM } from './program.ts'
import type { VirtualTime } from './time.ts'

export interface PeopleParts {
  readonly time: VirtualTime
  readonly chance: Chance
  readonly nodes: readonly SimNode[]
  readonly watch: Watch
  readonly ledger: Ledger
  /** Mean time between two goals, in milliseconds. */
  readonly everyMs: number
}

export class People {
  readonly counts = { sent: 0, refused: 0, repaired: 0, cancelled: 0 }
  readonly #parts: PeopleParts
  #sending = true

  constructor(parts: PeopleParts) {
    this.#parts = parts
  }

  start(): void {
    this.#send()
    this.#look()
  }

  /** No new goals from here; those that are suspended are still looked after. */
  stopSending(): void {
    this.#sending = false
  }

  #send(): void {
    const { time, chance, nodes, everyMs } = this.#parts
    time.after(everyMs * chance.between(0.2, 1.8), () => {
      if (!this.#sending) return
      const from = chance.pick(nodes)
      const daemon = from.daemon
      if (daemon !== undefined) void this.#sendOne(from, daemon).catch(() => this.counts.refused++)
      this.#send()
    })
  }

  async #sendOne(from: SimNode, daemon: Daemon): Promise<void> {
    const { chance, nodes, watch } = this.#parts
    const to = chance.pick(nodes)
    const goal = chance.pick(GOALS)
    const other = chance.pick(nodes).name
    const assignments = goal === 'outer' ? [{ path: 'goal.node', value: { value: other } }] : []
    // Read once for all of them; who is sent it reads it for itself.
    if ((await daemon.programs.withHash(PROGRAM.hash)) === undefined) await daemon.programs.load(FILES, PROGRAM)
    const { name, hash } = PROGRAM
    if (to === from) {
      const { id } = await daemon.runs.accept({ goal, program: hash, assignments, by: from.self })
      watch.goals.push({ id, goal, from, to })
      watch.note(`${from.name} took ${id} itself`)
      this.counts.sent++
      return
    }
    const acceptWithinMs = chance.pick([500, 10_000, 60_000])
    const order = { peer: to.peer, node: to.name, goal, program: { name, hash }, assignments, acceptWithinMs }
    const id = await daemon.dispatches.send(order)
    watch.goals.push({ id, goal, from, to })
    watch.note(`${from.name} took ${id} for ${to.name}`)
    this.counts.sent++
    // A person whose terminal hung asks again.
    if (chance.once(0.2) && from.daemon === daemon) await daemon.dispatches.send({ ...order, id })
    if (chance.once(0.05)) await this.#cancel(from, id)
  }

  async #cancel(from: SimNode, id: string): Promise<void> {
    const { time, chance } = this.#parts
    await time.sleep(chance.between(10, 2_000))
    await from.daemon?.agency.call('cancel', { id }, from.self)
    this.counts.cancelled++
  }

  #look(): void {
    const { time, chance, nodes } = this.#parts
    time.after(chance.between(500, 1_500), () => {
      for (const node of nodes) if (node.daemon !== undefined) void this.#lookAt(node, node.daemon)
      this.#look()
    })
  }

  async #lookAt(node: SimNode, daemon: Daemon): Promise<void> {
    await this.#giveUp(node, daemon)
    for (const { id, status, mirrored } of daemon.journal.runs()) {
      if (status !== 'suspended' || mirrored) continue
      await this.#repair(node, daemon, id).catch(() => undefined)
    }
  }

  /** A goal whose node has forgotten it is given up by a person, who has seen that its disk is an older one. */
  async #giveUp(node: SimNode, daemon: Daemon): Promise<void> {
    const { watch } = this.#parts
    for (const { id, state, node: there } of daemon.dispatches.open()) {
      if (state !== 'in-doubt') continue
      if (!watch.isRewound(id)) watch.violated(`in doubt: ${there} has forgotten ${id} of ${node.name}`)
      await daemon.dispatches.abandon(id, 'its node has an older disk').catch(() => undefined)
    }
  }

  async #repair(node: SimNode, daemon: Daemon, id: string): Promise<void> {
    const { watch, chance, ledger, nodes } = this.#parts
    const summary = await daemon.journal.summary(id)
    const suspended = summary?.suspended
    if (suspended === undefined || isOver(summary?.status)) return
    const { code } = suspended
    // A person has looked and decides that it is to be done again, or that it was done.
    // Where what it printed is used, nobody can do without.
    const verdict = summary?.goal === 'long' || summary?.goal === 'frail' ? chance.pick(['again', 'done', 'skip'] as const) : 'again'
    const doubtful = code === 'in-doubt' ? await stepInDoubt(daemon, id) : undefined
    if (doubtful !== undefined && verdict === 'again') ledger.excused.add(`${id} ${doubtful}`)
    const decision = doubtful === undefined ? undefined : { step: doubtful, verdict, ...(verdict === 'done' && { writes: [] }) }
    const request = { id, assignments: [], ...(decision && { decisions: [decision] }) }
    const sender = watch.goals.find(goal => goal.id === id)?.from
    const asker = sender !== undefined && sender !== node && chance.once(0.5) ? nodes.find(each => each === sender)?.daemon : daemon
    await (asker ?? daemon).agency.call('repair', request, node.self)
    this.counts.repaired++
  }
}

async function stepInDoubt({ journal }: Daemon, id: string): Promise<string | undefined> {
  const body = (await journal.read(id)).findLast(event => event.body.type === 'suspended')?.body
  return body?.type === 'suspended' ? body.step : undefined
}
