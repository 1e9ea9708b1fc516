/** One simulation: a seed makes a mesh, its goals and its troubles; the report says what was not as it has to be. */
import '../../../src/polyfill.ts'
import { attack } from './attacker.ts'
import { ATTACKS, takeLeaks } from './attacks.ts'
import { chanceOf } from './chance.ts'
import { simulateSignatures } from './signatures.ts'
import { DISK_TROUBLES, type DiskTrouble, Disks } from './disks.ts'
import { Faults, type Fault, type Trouble, troubleOf } from './faults.ts'
import { isOver, Watch } from './invariants.ts'
import { Ledger } from './machine.ts'
import { Network } from './network.ts'
import { EPOCH, identityOf, SimNode } from './node.ts'
import { People } from './people.ts'
import { VirtualTime } from './time.ts'

export interface SimulateOptions {
  readonly seed: number
  /** By default three to seven, as the seed says. */
  readonly nodes?: number
  /** How long things go wrong, in milliseconds. */
  readonly troubledMs?: number
  readonly faults?: readonly Fault[]
  /** Mean time between two goals of the whole mesh, in milliseconds. */
  readonly goalEveryMs?: number
  /** Neighbours that each node keeps; by default everybody. */
  readonly degree?: number
  /** What a hostile peer does, by its name in attacks.ts; by default there is one now and then, as the seed says. Empty: there is none. */
  readonly attack?: string
  /** What happens to a whole disk; by default something now and then, as the seed says. Empty: nothing. */
  readonly disks?: DiskTrouble | ''
  /** Longest time to come to rest in the end, in milliseconds. */
  readonly restWithinMs?: number
  /** Told each line of the trace. */
  readonly tell?: (line: string) => void
}

export interface SimReport {
  readonly seed: number
  readonly nodes: number
  readonly trouble: Trouble
  readonly attack: string
  readonly disks: DiskTrouble | ''
  readonly violations: readonly string[]
  /** Of all that happened: two runs of one seed have the same. */
  readonly hash: string
  readonly virtualMs: number
  readonly wallMs: number
  /** Of this process, all threads, in milliseconds. */
  readonly cpuMs: number
  /** The same between the time when all have come up and the end of the troubles. */
  readonly steady: { readonly virtualMs: number; readonly cpuMs: number }
  readonly happened: number
  readonly messages: number
  readonly starts: number
  readonly goals: { readonly sent: number; readonly refused: number; readonly repaired: number; readonly cancelled: number }
  readonly executions: number
  /** Bytes of records that all nodes together keep in the end. */
  readonly kept: number
  /** Nodes that hold somebody back as forked. */
  readonly forks: number
}

/** How many of all meshes have a hostile peer among them. */
const HOSTILE = 0.3
/** And how many of the others have a disk that is put back or doubled. */
const DISKS = 0.15
/** By then everybody has heard of everybody, and the code that runs is compiled: nothing is measured before, in milliseconds. */
const COMES_UP_MS = 5_000
/** So often in a row nobody has anything to do. */
const CALM_LOOKS = 4
/** Longest time that a mesh may need to come to rest once nothing goes wrong any more, in milliseconds. */
const REST_WITHIN_MS = 400_000

export async function simulate(options: SimulateOptions): Promise<SimReport> {
  const began = process.hrtime.bigint()
  const cpuBefore = process.cpuUsage()
  const chance = chanceOf(options.seed)
  const time = new VirtualTime()
  const restore = [simulateSignatures(), time.install(chance.fork(), EPOCH)]
  try {
    const count = options.nodes ?? 3 + chance.int(5)
    const network = new Network(time, chance.fork())
    const ledger = new Ledger()
    const watch = new Watch(ledger, () => time.now)
    if (options.tell !== undefined) {
      const { note } = watch
      watch.note = what => {
        options.tell?.(`${(time.now / 1000).toFixed(3)} ${what}`)
        note.call(watch, what)
      }
    }
    const nodes = makeNodes(count, options.degree ?? count - 1, { time, network, ledger, watch, chance: chance.fork() }, options)
    const trouble = troubleOf(chance.fork(), options.faults)
    const faults = new Faults({ time, chance: chance.fork(), network, nodes, trouble, note: what => watch.note(what) })
    const people = new People({
      time,
      chance: chance.fork(),
      nodes,
      watch,
      ledger,
      everyMs: options.goalEveryMs ?? chance.pick([400, 1_000, 3_000])
    })
    const troubledMs = options.troubledMs ?? chance.pick([4_000, 8_000, 16_000])

    for (const node of nodes) void node.start()
    await time.run(1_000, () => nodes.every(node => node.daemon !== undefined))
    people.start()
    faults.start()
    const name = options.attack ?? (chance.once(HOSTILE) ? chance.pick(Object.keys(ATTACKS)) : '')
    if (name !== '') watch.hostile = identityOf(count).peer
    const endAttack =
      name === ''
        ? () => undefined
        : attack({ attack: name, identity: identityOf(count), honest: nodes, network, time, chance: chance.fork() })
    const kind = options.disks ?? (name === '' && chance.once(DISKS) ? chance.pick(DISK_TROUBLES) : '')
    const disks = kind === '' ? undefined : new Disks({ kind, time, chance: chance.fork(), nodes, watch, troubledMs })
    disks?.start()
    const until = time.now + troubledMs
    await time.run(Math.min(until, time.now + COMES_UP_MS), () => watch.violations.length > 0)
    const up = { virtualMs: time.now, cpuMs: cpuSince(cpuBefore) }
    await time.run(until, () => watch.violations.length > 0)
    const steady = { virtualMs: time.now - up.virtualMs, cpuMs: cpuSince(cpuBefore) - up.cpuMs }
    people.stopSending()
    faults.end()
    endAttack()
    if (disks !== undefined) await inTime(time, disks.end())
    for (const what of takeLeaks()) watch.violated(what)
    await rest(time, nodes, watch, options.restWithinMs ?? REST_WITHIN_MS)
    if (watch.violations.length === 0) await settled(time, watch, nodes)
    return {
      seed: options.seed,
      nodes: count,
      trouble,
      attack: name,
      disks: kind,
      violations: watch.violations,
      hash: watch.hash.copy().update(`${time.happened} ${network.messages} ${network.bytes}`).digest('hex').slice(0, 16),
      virtualMs: time.now,
      wallMs: Number(process.hrtime.bigint() - began) / 1e6,
      cpuMs: cpuSince(cpuBefore),
      steady,
      happened: time.happened,
      messages: network.messages,
      starts: nodes.reduce((sum, { starts }) => sum + starts, 0),
      goals: people.counts,
      executions: ledger.executions.length,
      kept: nodes.reduce((sum, node) => sum + keptBy(node), 0),
      forks: nodes.filter(({ daemon }) => (daemon?.state.replica.forks().length ?? 0) > 0).length
    }
  } finally {
    for (const back of restore) back()
  }
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

function keptBy({ daemon }: SimNode): number {
  return daemon?.state.replica.missing([]).envelopes.reduce((sum, { byteLength }) => sum + byteLength, 0) ?? 0
}

type World = { time: VirtualTime; network: Network; ledger: Ledger; watch: Watch; chance: ReturnType<typeof chanceOf> }

function makeNodes(count: number, degree: number, { time, network, ledger, watch, chance }: World, { tell }: SimulateOptions): SimNode[] {
  const identities = Array.from({ length: count }, (_, index) => identityOf(index))
  const near = identities.map(() => new Set<string>())
  // A ring, so that nobody is alone, and random lines across it.
  for (let a = 0; a < count; a++) {
    for (let line = 0; line < degree / 2; line++) {
      const b = degree >= count - 1 ? (a + line + 1) % count : line === 0 ? (a + 1) % count : chance.int(count)
      if (a === b) continue
      near[a]!.add(identities[b]!.peer)
      near[b]!.add(identities[a]!.peer)
    }
  }
  const nodes: SimNode[] = []
  for (const [index, identity] of identities.entries()) {
    const neighbours = [...near[index]!]
    const node = new SimNode({
      index,
      identity,
      time,
      chance: chance.fork(),
      network,
      ledger,
      neighbours: () => neighbours,
      everybody: () => nodes,
      isPermitted: peer => peer === watch.hostile,
      ...(tell && {
        said: (name: string, level: string, what: object, message: string) =>
          tell(`${(time.now / 1000).toFixed(3)} ${name} ${level} ${message} ${JSON.stringify(what)}`)
      })
    })
    node.onStart = async daemon => {
      watch.note(`${node.name} started`)
      await watch.follow(node, daemon)
      watch.listen(node, daemon)
    }
    nodes.push(node)
  }
  return nodes
}

/** Of a goal that was given up, since its node has forgotten it, nobody knows more than there was. */
function isBusy(
  watch: Watch,
  { id, status, mirrored }: { readonly id: string; readonly status?: string; readonly mirrored: boolean }
): boolean {
  return !isOver(status) && !(mirrored && watch.isRewound(id))
}

/** Those with the same heads are; else what counts may be the same all the same, e.g. without a node that was made up. */
function areOfOneMind(nodes: readonly SimNode[]): boolean {
  const [first, ...others] = nodes.map(({ daemon }) => daemon?.state.replica)
  const print = first?.headsPrint()
  if (others.every(other => other?.headsPrint() === print)) return true
  const digest = first?.digest()
  return others.every(other => other?.digest() === digest)
}

/** Waits until nobody has anything to do; looks twice a second. */
async function rest(time: VirtualTime, nodes: readonly SimNode[], watch: Watch, withinMs: number): Promise<void> {
  const limit = time.now + withinMs
  let calm = 0
  const look = (): void => {
    const busy = nodes.filter(
      ({ daemon }) =>
        daemon === undefined ||
        daemon.dispatches.open().length > 0 ||
        daemon.journal.runs().some(run => isBusy(watch, run)) ||
        daemon.store.state !== 'ready'
    )
    calm = busy.length === 0 && areOfOneMind(nodes) ? calm + 1 : 0
    if (calm < CALM_LOOKS) time.after(500, look)
  }
  time.after(2_000, look)
  if (await time.run(limit, () => calm === CALM_LOOKS || watch.violations.length > 0)) return
  watch.violated(`the mesh did not come to rest within ${withinMs / 1000} s`)
  for (const { name, daemon } of nodes) {
    for await (const { id, suspended } of daemon?.journal.summaries(run => run.status === 'suspended') ?? [])
      watch.violated(`${name}: ${id} is suspended: ${suspended?.code} ${suspended?.reason}`)
    const open = daemon?.dispatches.open().map(({ id, state, node }) => `${id} ${state} at ${node}: ${daemon.dispatches.waiting(id)}`) ?? []
    const runs = daemon?.journal.runs().filter(run => !isOver(run.status)) ?? []
    const tell = [
      ...open.slice(0, 3),
      ...runs.slice(0, 3).map(({ id, goal, status, mirrored }) => `${goal} ${id} is ${status}${mirrored ? ' elsewhere' : ''}`)
    ]
    if (daemon === undefined || tell.length > 0) watch.violated(`${name}: ${daemon === undefined ? 'down' : tell.join('; ')}`)
  }
}

/** Looking at everything takes reads of the simulated disks, which need time to pass. */
async function settled(time: VirtualTime, watch: Watch, nodes: readonly SimNode[]): Promise<void> {
  if (!(await inTime(time, watch.settle(nodes)))) watch.violated('the last look at everything did not end')
}

/** Lets time pass until `what` has ended. @returns whether it has */
async function inTime(time: VirtualTime, what: Promise<void>): Promise<boolean> {
  let done = false
  let failure: unknown
  what.then(
    () => (done = true),
    error => {
      failure = error
      done = true
    }
  )
  await time.run(time.now + REST_WITHIN_MS, () => done)
  if (failure !== undefined) throw failure
  return done
}
