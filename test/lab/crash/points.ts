/** Which faults are made, when and where: all of it follows from a seed. */
import { STEPS } from './product.ts'

/**
 * kill: the daemon, at its n-th fdatasync. double: the same, and once more at the m-th fdatasync of the next start.
 * runner: kill, and the runner with it; its steps go on. dead: kill, and everything that it has started.
 * cut: the power goes at the n-th fdatasync: dead, and what was not synced is gone. EIO, ENOSPC: that fdatasync fails.
 * clock: it jumps by `jump` while a step runs, and back.
 */
export type FaultKind = 'kill' | 'double' | 'runner' | 'dead' | 'cut' | 'EIO' | 'ENOSPC' | 'clock'

export interface Point {
  readonly number: number
  readonly kind: FaultKind
  /** 1 is the node that the goal is asked of; 2 and 3 pursue its parts. */
  readonly victim: 1 | 2 | 3
  /** Which fdatasync since the goal was asked for. */
  readonly at: number
  /** Instead of at an fdatasync: while this step of the victim runs. */
  readonly during?: string
  /** Of double: which fdatasync of the restarted daemon. */
  readonly again: number
  /** Of clock: as faketime has it. */
  readonly jump: string
}

/** What this machine can do, and how many fdatasyncs one goal takes on each node. */
export interface Scope {
  readonly syncs: readonly [number, number, number]
  readonly cuts: boolean
  readonly clocks: boolean
}

/** What one can be interrupted in. */
const INTERRUPTED: ReadonlySet<FaultKind> = new Set(['kill', 'runner', 'dead', 'cut'])

/** Of a hundred points, without those that are made for every n. */
const SHARES: Readonly<Record<FaultKind, number>> = { kill: 38, double: 26, runner: 10, dead: 10, EIO: 5, ENOSPC: 5, cut: 5, clock: 1 }
/** Fdatasyncs of a start that has a goal to go on with: beyond these the goal has ended. */
const SYNCS_OF_A_START = 12
const JUMPS = ['-1d', '+400d', '-3h', '+1d']
/** The node whose home is a disk of its own, and the node whose clock can be set. */
export const CUT_NODE = 2
export const CLOCK_NODE = 3

/** `count` points: first a kill at every fdatasync of every node, as far as they go, then what chance gives. */
export function points(count: number, seed: number, scope: Scope): Point[] {
  const every = scope.syncs.flatMap((syncs, node) =>
    Array.from({ length: syncs }, (_, at) => ({ victim: (node + 1) as 1 | 2 | 3, at: at + 1 }))
  )
  const swept = every.length * 2 <= count ? every : []
  return Array.from({ length: count }, (_, at) => {
    const chance = chanceOf(seed, at)
    const point = { number: at + 1, again: 1 + chance(SYNCS_OF_A_START), jump: JUMPS[chance(JUMPS.length)]! }
    const sweep = swept[at]
    return sweep === undefined ? { ...point, ...drawn(chance, scope) } : { ...point, kind: 'kill', ...sweep }
  })
}

function drawn(chance: (below: number) => number, scope: Scope): Pick<Point, 'kind' | 'victim' | 'at' | 'during'> {
  const kinds = (Object.keys(SHARES) as FaultKind[]).filter(kind => (scope.cuts || kind !== 'cut') && (scope.clocks || kind !== 'clock'))
  let draw = chance(kinds.reduce((sum, kind) => sum + SHARES[kind], 0))
  const kind = kinds.find(each => (draw -= SHARES[each]) < 0) ?? 'kill'
  const victim = kind === 'cut' ? CUT_NODE : kind === 'clock' ? CLOCK_NODE : ((1 + chance(3)) as 1 | 2 | 3)
  const steps = STEPS.filter(step => step.startsWith(`n${victim}:`))
  const during = INTERRUPTED.has(kind) && chance(2) === 0 ? steps[chance(steps.length)] : undefined
  return { kind, victim, at: 1 + chance(scope.syncs[victim - 1]!), ...(during !== undefined && { during }) }
}

/** Numbers of one point, so that it can be made again alone. Source: mulberry32 */
function chanceOf(seed: number, at: number): (below: number) => number {
  let state = (seed + Math.imul(at + 1, 0x9e3779b1)) | 0
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}
