/**
 * What happens to whole disks: an older copy is put back, or two machines run from one copy. What was at work there is lost
 * or done twice, and nobody can prevent it; all else must hold, and there must be a way out.
 */
import type { Chance } from './chance.ts'
import type { DiskImage } from './disk.ts'
import { isOver, type Watch } from './invariants.ts'
import { Ledger } from './machine.ts'
import { type Daemon, SimNode } from './node.ts'
import type { VirtualTime } from './time.ts'

/**
 * `restored`: a node starts from an older copy of its disk. `cloned`: another machine starts from a copy of it.
 * `forked`: another machine goes on from a copy of it as it ran, so that two histories have the same numbers.
 */
export const DISK_TROUBLES = ['restored', 'cloned', 'forked'] as const
export type DiskTrouble = (typeof DISK_TROUBLES)[number]

export interface DisksParts {
  readonly kind: DiskTrouble
  readonly time: VirtualTime
  readonly chance: Chance
  readonly nodes: readonly SimNode[]
  readonly watch: Watch
  /** How long things go wrong, in milliseconds. */
  readonly troubledMs: number
}

/** Looks between which the operators wait for each other, in milliseconds, and how many of them. */
const LOOK_MS = 2_000
const LOOKS = 10
const CLOCK_BACK_MS = 3_600_000

interface Image {
  readonly disk: DiskImage
  readonly machine: ReturnType<SimNode['machine']['image']>
  /** Goals that were over by then. */
  readonly over: ReadonlySet<string>
}

export class Disks {
  readonly #parts: DisksParts
  #clone: SimNode | undefined
  #node: SimNode | undefined
  #over = false

  constructor(parts: DisksParts) {
    this.#parts = parts
  }

  start(): void {
    const { time, chance, troubledMs, kind } = this.#parts
    this.#when(chance.between(0.1, 0.5) * troubledMs, (node, daemon) => {
      const image = imageOf(node, daemon)
      if (kind !== 'restored') return void this.#cloneOf(node, daemon, image)
      time.after(chance.between(0.05, 0.4) * troubledMs, () => this.#putBack(node, image))
    })
  }

  /** People end what must not go on, and decide what only they can. */
  async end(): Promise<void> {
    const { time, nodes, watch } = this.#parts
    this.#over = true
    const [node, clone] = [this.#node, this.#clone]
    if (node === undefined || clone === undefined) return
    clone.kill(true)
    watch.note(`the clone of ${node.name} is ended`)
    await time.sleep(LOOK_MS)
    for (let look = 0; look < LOOKS; look++) {
      for (const each of nodes) {
        const forks = each.daemon?.state.replica.forks() ?? []
        for (const { origin } of forks)
          if (origin === node.peer) await each.daemon?.agency.call('acceptfork', { node: origin }, each.self).catch(() => undefined)
      }
      await time.sleep(LOOK_MS)
    }
    if (node.isOn) node.kill(false)
    await node.start()
  }

  #when(ms: number, what: (node: SimNode, daemon: Daemon) => void): void {
    const { time, chance, nodes } = this.#parts
    time.after(ms, () => {
      if (this.#over) return
      const ready = nodes.filter(({ daemon }) => daemon !== undefined)
      if (ready.length === 0) return this.#when(100, what)
      const node = chance.pick(ready)
      what(node, node.daemon!)
    })
  }

  #putBack(node: SimNode, image: Image): void {
    const { watch, time, chance } = this.#parts
    const { daemon } = node
    if (this.#over) return
    // What it has done since the copy was made can be told while it is up.
    if (daemon === undefined) return void time.after(50, () => this.#putBack(node, image))
    watch.rewound.push(id => !image.over.has(id) && knows(daemon, id))
    watch.note(`${node.name} gets an older disk`)
    node.kill(true)
    node.disk.restore(image.disk)
    node.machine.restore(image.machine)
    // Who puts a disk back has often lost the clock, too.
    if (chance.once(0.5)) node.skewMs -= CLOCK_BACK_MS
    time.after(chance.between(50, 2_000), () => void node.start().catch(() => node.kill(false)))
  }

  #cloneOf(node: SimNode, daemon: Daemon, image: Image): void {
    const { kind, watch, chance, time } = this.#parts
    const { boot, nonce } = daemon.store
    const clone = new SimNode({
      ...node.parts,
      chance: chance.fork(),
      ledger: new Ledger(),
      isClone: true,
      ...(kind === 'forked' && { life: { boot, nonce } })
    })
    clone.disk.restore(image.disk)
    clone.machine.restore(image.machine)
    /** Everybody who lived under this key since. */
    const lives = [daemon]
    const { onStart } = node
    node.onStart = async life => {
      lives.push(life)
      await onStart(life)
    }
    clone.onStart = async life => {
      lives.push(life)
      watch.listen(clone, life)
    }
    this.#clone = clone
    this.#node = node
    watch.rewound.push(id => !image.over.has(id) && lives.some(each => knows(each, id)))
    watch.note(`${node.name} is ${kind}`)
    time.after(chance.between(50, 1_000), () => void clone.start().catch(() => undefined))
  }
}

function imageOf(node: SimNode, { journal }: Daemon): Image {
  const over = journal.runs().filter(({ status }) => isOver(status))
  return { disk: node.disk.image(), machine: node.machine.image(), over: new Set(over.map(({ id }) => id)) }
}

/** Whether a goal was at work at a node, or was sent from there. */
function knows({ journal, dispatches }: Daemon, id: string): boolean {
  return journal.find(id) !== undefined || dispatches.sentTo(id) !== undefined
}
