/** One goal for many hosts at once, over slow lines, with some of them down, unwilling or unable: `dispatch --all`. */
import '../../../src/polyfill.ts'
import { CloudburstError } from '../../../src/errors.ts'
import { type LocalParts, localCalls } from '../../../src/node/agency/local-calls.ts'
import { chanceOf } from './chance.ts'
import { Ledger } from './machine.ts'
import { Network } from './network.ts'
import { EPOCH, identityOf, SimNode } from './node.ts'
import { FILES, PROGRAM } from './program.ts'
import { simulateSignatures } from './signatures.ts'
import { VirtualTime } from './time.ts'

export interface ManyOptions {
  readonly seed: number
  readonly hosts: number
  readonly roundTripMs: number
  /** Hosts that do not answer: half were never there, half lose their power when the goal is sent. */
  readonly down: number
  /** Hosts that do not permit it, and hosts on which its command fails. */
  readonly denying: number
  readonly failing: number
}

export interface TableRow {
  readonly node: string
  readonly state: 'done' | 'suspended' | 'unreachable' | 'denied'
}

export interface Many {
  readonly rows: readonly TableRow[]
  readonly truth: readonly TableRow[]
  /** Of the simulated time, from the command to the whole table. */
  readonly tookMs: number
}

/** Longest time to wait for the table, in milliseconds. */
const WITHIN_MS = 120_000

export async function allOf({ seed, hosts, roundTripMs, down, denying, failing }: ManyOptions): Promise<Many> {
  const chance = chanceOf(seed)
  const time = new VirtualTime()
  const restore = [simulateSignatures(), time.install(chance.fork(), EPOCH)]
  try {
    const network = new Network(time, chance.fork())
    Object.assign(network.weather, { delayMs: roundTripMs / 2, jitterMs: 5 })
    const ledger = new Ledger()
    const nodes: SimNode[] = []
    const ids = Array.from({ length: hosts + 1 }, (_, index) => identityOf(index))
    // The last one asks; it knows all, and they know it.
    const [asker] = ids.slice(-1)
    const denies = new Set(ids.slice(down, down + denying).map(({ peer }) => peer))
    for (const [index, identity] of ids.entries()) {
      const neighbours = identity === asker ? ids.slice(0, -1).map(({ peer }) => peer) : [asker!.peer]
      nodes.push(
        new SimNode({
          index,
          identity,
          time,
          chance: chance.fork(),
          network,
          ledger,
          neighbours: () => neighbours,
          everybody: () => nodes,
          permits: (_peer, capability) => !(denies.has(identity.peer) && capability === 'goal:dispatch')
        })
      )
    }
    const never = down / 2
    for (const node of nodes.slice(down + denying, down + denying + failing)) node.machine.failing = true
    for (const node of nodes.slice(Math.floor(never))) void node.start()
    await time.run(10_000, () => nodes.slice(Math.floor(never)).every(({ daemon }) => daemon !== undefined))
    await time.run(time.now + 5_000)
    const began = time.now
    for (const node of nodes.slice(Math.floor(never), down)) node.kill(true)

    let rows: readonly TableRow[] | undefined
    let failure: unknown
    table(time, nodes.at(-1)!).then(
      all => (rows = all),
      error => (failure = error)
    )
    await time.run(time.now + WITHIN_MS, () => rows !== undefined || failure !== undefined)
    if (failure !== undefined) throw failure
    if (rows === undefined) throw new Error(`no whole table within ${WITHIN_MS / 1000} s`)
    const truth = nodes.slice(0, -1).map(({ name, peer, machine }, at): TableRow => {
      const ran = ledger.executions.filter(each => each.machine === name)
      const state = at < down ? 'unreachable' : denies.has(peer) ? 'denied' : machine.failing ? 'suspended' : 'done'
      const done = ran.length > 0 && ran.every(({ exit }) => exit?.kind === 'exited' && exit.code === 0)
      if ((state === 'done') !== done) throw new Error(`${name} is ${state}, and has ${ran.length} executions`)
      return { node: name, state }
    })
    return { rows, truth, tookMs: time.now - began }
  } finally {
    for (const back of restore) back()
  }
}

/** What the command tells, in the order of the hosts. */
async function table(time: VirtualTime, asker: SimNode): Promise<readonly TableRow[]> {
  const { programs, mesh, dispatches, runs, journal } = asker.daemon!
  await programs.load(FILES)
  // Of the calls of a person at this node, only this one is made.
  const newId = (): string => '01'.padEnd(26, '0')
  const parts = { mesh, dispatches, programs, runs, newId, files: {}, self: () => mesh.find(asker.name)[0] } as unknown as LocalParts
  const signal = new AbortController().signal
  const told = await localCalls(parts).dispatch({ goal: 'short', program: PROGRAM.hash, peers: ['*'], assignments: [] }, asker.self, signal)
  return await Promise.all(
    told.map(async (each): Promise<TableRow> => {
      if ('error' in each) return { node: each.node, state: stateOf(each.error.code) }
      for (;;) {
        const status = (await journal.summary(each.id))?.status
        if (status === 'completed') return { node: each.node, state: 'done' }
        if (status === 'suspended') return { node: each.node, state: 'suspended' }
        await time.sleep(50)
      }
    })
  )
}

function stateOf(code: string | undefined): TableRow['state'] {
  if (code === 'CB_DENIED') return 'denied'
  if (code === 'CB_PEER_UNREACHABLE') return 'unreachable'
  throw new CloudburstError('CB_INTERNAL', `no row of the table is for ${code}`)
}
