/** Every run in memory, at a few hundred bytes each: what lists and looks need without touching the disk. */
import type { RunStatus } from '../../goals/pursuit/summary.ts'
import type { RunEntry } from './records.ts'

/** One run as the index in memory knows it. */
export interface RunNote {
  readonly id: string
  readonly goal: string
  readonly agent?: string
  readonly status: RunStatus
  readonly seq: number
  readonly createdAt: number
  /** Of its last event. */
  readonly updatedAt: number
  /** Pursued on another node. */
  readonly mirrored: boolean
  /** Its events were removed. */
  readonly compacted: boolean
}

/** The runs that are known. */
export interface RunIndex {
  /** Remembers a run as its entry says. */
  note(entry: RunEntry): void
  drop(goalId: string): void
  get(goalId: string): RunNote | undefined
  has(goalId: string): boolean
  readonly size: number
  /** Runs of this node that are not over. */
  readonly open: number
  newestFirst(): readonly RunNote[]
}

/** An empty index. */
export function runIndex(): RunIndex {
  const notes = new Map<string, RunNote>()
  /** Oldest first; undefined after a run was added or dropped. */
  let order: string[] | undefined = []
  let open = 0
  const countOf = (note: RunNote | undefined): number => (note === undefined || note.mirrored || isOver(note.status) ? 0 : 1)

  const sorted = (): string[] => {
    order ??= [...notes.values()].sort(byAge).map(note => note.id)
    return order
  }
  return {
    note: entry => {
      const note = noteOf(entry)
      // Who reads all of them again may be overtaken by what happens meanwhile.
      if ((notes.get(note.id)?.seq ?? 0) > note.seq) return
      const newest = order === undefined ? undefined : notes.get(order.at(-1) ?? '')
      if (!notes.has(note.id)) {
        if (order !== undefined && (newest === undefined || byAge(newest, note) < 0)) order.push(note.id)
        else order = undefined
      }
      open += countOf(note) - countOf(notes.get(note.id))
      notes.set(note.id, note)
    },
    drop: goalId => {
      open -= countOf(notes.get(goalId))
      if (notes.delete(goalId)) order = undefined
    },
    get: goalId => notes.get(goalId),
    has: goalId => notes.has(goalId),
    get size() {
      return notes.size
    },
    get open() {
      return open
    },
    newestFirst: () => {
      const ids = sorted()
      return Array.from(ids, (_, at) => notes.get(ids[ids.length - 1 - at]!)!)
    }
  }
}

/** Whether nothing more happens to a run of this status. */
export function isOver(status: RunStatus): boolean {
  return status === 'completed' || status === 'cancelled'
}

function noteOf({ summary, mirrored, compacted }: RunEntry): RunNote {
  const { id, goal, agent, status, seq, createdAt, updatedAt } = summary
  return {
    id,
    goal,
    ...(agent !== undefined && { agent }),
    status,
    seq,
    createdAt,
    updatedAt,
    mirrored: mirrored === true,
    compacted: compacted !== undefined
  }
}

function byAge(a: RunNote, b: RunNote): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)
}
