/** Every run in memory, at a hundred bytes each: what lists and looks need without touching the disk. */
import type { RunStatus, RunSummary } from '../../goals/pursuit/summary.ts'

/** One run as the index in memory knows it. */
export interface RunNote {
  readonly id: string
  readonly status: RunStatus
  readonly seq: number
  readonly createdAt: number
  /** Pursued on another node. */
  readonly mirrored: boolean
}

/** The runs that are known. */
export interface RunIndex {
  /** Remembers a run as its summary says. */
  note(summary: RunSummary, mirrored: boolean): void
  has(goalId: string): boolean
  readonly size: number
  newestFirst(): readonly RunNote[]
}

/** An empty index. */
export function runIndex(): RunIndex {
  const notes = new Map<string, RunNote>()
  return {
    note: ({ id, status, seq, createdAt }, mirrored) => void notes.set(id, { id, status, seq, createdAt, mirrored }),
    has: goalId => notes.has(goalId),
    get size() {
      return notes.size
    },
    newestFirst: () => [...notes.values()].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
  }
}

/** Whether nothing more happens to a run of this status. */
export function isOver(status: RunStatus): boolean {
  return status === 'completed' || status === 'cancelled'
}
