/** What goes wrong, and when: each seed draws its own kinds of trouble, and its own hours for them. */
import type { Chance } from './chance.ts'
import type { Network } from './network.ts'
import type { SimNode } from './node.ts'
import type { VirtualTime } from './time.ts'

export const FAULTS = ['kill', 'power', 'crash-at-write', 'split', 'one-way', 'weather', 'full-disk', 'slow', 'clock'] as const
export type Fault = (typeof FAULTS)[number]

/** Farther from the truth no clock is set: what is signed by clocks that are ten minutes apart is refused, and people have to mend them. */
const SKEW_MAX_MS = 295_000

export interface Trouble {
  readonly kinds: readonly Fault[]
  /** Mean time between two faults, in milliseconds. */
  readonly everyMs: number
}

export function troubleOf(chance: Chance, kinds: readonly Fault[] = FAULTS.filter(() => chance.once(0.5))): Trouble {
  return { kinds, everyMs: chance.pick([300, 800, 2_000, 5_000]) }
}

export class Faults {
  readonly counts: Partial<Record<Fault, number>> = {}
  readonly #time: VirtualTime
  readonly #chance: Chance
  readonly #network: Network
  readonly #nodes: readonly SimNode[]
  readonly #trouble: Trouble
  readonly #note: (what: string) => void
  #over = false

  constructor(parts: {
    time: VirtualTime
    chance: Chance
    network: Network
    nodes: readonly SimNode[]
    trouble: Trouble
    note: (what: string) => void
  }) {
    this.#time = parts.time
    this.#chance = parts.chance
    this.#network = parts.network
    this.#nodes = parts.nodes
    this.#trouble = parts.trouble
    this.#note = parts.note
  }

  start(): void {
    if (this.#trouble.kinds.length > 0) this.#next()
  }

  /** Everything is mended; what is down comes up. */
  end(): void {
    this.#over = true
    this.#network.heal()
    Object.assign(this.#network.weather, { delayMs: 2, jitterMs: 3, loss: 0, duplication: 0 })
    for (const node of this.#nodes) {
      node.slow = 1
      node.skewMs = 0
      node.disk.manner.slow = 1
      node.disk.manner.full = false
      node.disk.onOperation = () => false
      if (!node.isOn) this.#up(node, 0)
    }
  }

  #next(): void {
    this.#time.after(this.#trouble.everyMs * this.#chance.between(0.2, 1.8), () => {
      if (this.#over) return
      const kind = this.#chance.pick(this.#trouble.kinds)
      this.counts[kind] = (this.counts[kind] ?? 0) + 1
      this.#happen(kind)
      this.#next()
    })
  }

  #happen(kind: Fault): void {
    const chance = this.#chance
    const node = chance.pick(this.#nodes)
    this.#note(`${kind} ${node.name}`)
    switch (kind) {
      case 'kill':
        this.#down(node, false, chance.between(5, 4_000))
        return
      case 'power':
        this.#down(node, true, chance.between(500, 8_000))
        return
      case 'crash-at-write': {
        let left = chance.int(30)
        const host = chance.once(0.6)
        node.disk.onOperation = () => {
          if (left-- > 0) return false
          node.disk.onOperation = () => false
          this.#down(node, host, chance.between(5, 5_000))
          return true
        }
        return
      }
      case 'split': {
        const side = this.#nodes.filter(() => chance.once(0.5))
        const other = this.#nodes.filter(each => !side.includes(each))
        for (const a of side) for (const b of other) this.#cut(a, b)
        for (const a of side) for (const b of other) this.#cut(b, a)
        return void this.#time.after(chance.between(200, 20_000), () => {
          for (const a of side) for (const b of other) this.#heal(a, b)
          for (const a of side) for (const b of other) this.#heal(b, a)
        })
      }
      case 'one-way': {
        const other = chance.pick(this.#nodes)
        if (other === node) return
        this.#cut(node, other)
        return void this.#time.after(chance.between(200, 15_000), () => this.#heal(node, other))
      }
      case 'weather':
        return void Object.assign(this.#network.weather, {
          delayMs: chance.pick([1, 5, 40, 150]),
          jitterMs: chance.pick([1, 20, 200]),
          loss: chance.pick([0, 0.05, 0.3]),
          duplication: chance.pick([0, 0.1, 0.5])
        })
      case 'full-disk':
        node.disk.manner.full = true
        return void this.#time.after(chance.between(100, 5_000), () => (node.disk.manner.full = false))
      case 'slow':
        node.slow = node.disk.manner.slow = chance.pick([5, 20, 100])
        return void this.#time.after(chance.between(500, 8_000), () => (node.slow = node.disk.manner.slow = 1))
      case 'clock':
        node.skewMs = within(node.skewMs + chance.pick([-250_000, -5_000, -300, 300, 5_000, 250_000]), SKEW_MAX_MS)
    }
  }

  #cut(a: SimNode, b: SimNode): void {
    if (!this.#over) this.#network.cut(a.peer, b.peer)
  }

  #heal(a: SimNode, b: SimNode): void {
    this.#network.heal(a.peer, b.peer)
  }

  #down(node: SimNode, host: boolean, forMs: number): void {
    if (!node.isOn || this.#over) return
    this.#note(`${node.name} down`)
    node.kill(host)
    this.#up(node, forMs)
  }

  #up(node: SimNode, inMs: number): void {
    this.#time.after(inMs, () => {
      if (node.isOn) return
      this.#note(`${node.name} up`)
      // A disk that is full keeps a daemon from starting: somebody tries again.
      node.start().catch(() => {
        node.kill(false)
        this.#up(node, 500)
      })
    })
  }
}

function within(ms: number, most: number): number {
  return Math.max(-most, Math.min(most, ms))
}
