/** What a benchmark found: samples, what they come to, and whether that is within the limit. One file a benchmark and day. */
import { cpus, release, totalmem } from 'node:os'

/** What a series of samples comes to, in its unit. */
export interface Summary {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly best: number
}

/** Samples of one thing, in the order they were taken. */
export interface Series extends Summary {
  readonly name: string
  readonly unit: 'ms' | 'MB' | 'MB/s' | 'frames/s' | 'events/s' | 'lines/s'
  readonly samples: readonly number[]
}

/** One row of the table: a figure of ours, against a peer measured in the same run or by itself, and its limit if it has one. */
export interface Row {
  readonly what: string
  readonly ours: Summary
  readonly unit: Series['unit']
  /** What it is compared with; absent when it stands by itself. */
  readonly peer?: Summary & { readonly name: string }
  /** How the two medians are compared: ours ÷ peer, ours − peer, or ours alone. */
  readonly figure: { readonly kind: 'ratio' | 'difference' | 'value'; readonly value: number; readonly limit?: number }
  /** Undefined without a limit. */
  readonly within?: boolean
  /** Says little beside the others: it is printed and kept, but not in the table of README.md. */
  readonly detail?: true
}

/** A benchmark's outcome, as its file holds it. */
export interface Result {
  readonly name: string
  /** ISO 8601. */
  readonly at: string
  readonly machine: Machine
  /** One-minute load averages before and after: with much more than one a core something else was going on. */
  readonly load: readonly [number, number]
  /** What to type to measure it again. */
  readonly command: string
  readonly rows: readonly Row[]
  readonly series: readonly Series[]
  /** What was seen beside the figures, and what could not be measured and why. */
  readonly notes: readonly string[]
  /** Figures of single samples in words: printed and kept, but not in README.md. */
  readonly details?: readonly string[]
}

/** Where it was measured. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGB: number
  readonly kernel: string
  readonly node: string
}

/** What one benchmark gives back; run.ts adds when and where. */
export type Measured = Pick<Result, 'rows' | 'series' | 'notes' | 'details'>

/** The machine this runs on. */
export function machine(): Machine {
  const [first] = cpus()
  return {
    cpu: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version
  }
}

/** A series of at least one sample; `best` is the smallest, or the largest of a rate. */
export function seriesOf(name: string, unit: Series['unit'], samples: readonly number[]): Series {
  const sorted = [...samples].sort((a, b) => a - b)
  const isRate = unit.endsWith('/s')
  const at = (part: number): number => rounded(sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN)
  const best = rounded((isRate ? sorted.at(-1) : sorted[0]) ?? Number.NaN)
  return { name, unit, p50: at(0.5), p90: at(0.9), p99: at(0.99), best, samples: samples.map(sample => rounded(sample)) }
}

/** Ours against a peer's, or against a limit. `limit` is the most it may be; of a rate, the least. */
export function rowOf(
  what: string,
  ours: Series,
  kind: Row['figure']['kind'],
  options: { peer?: Series; limit?: number; detail?: boolean } = {}
): Row {
  const { peer, limit, detail } = options
  const value = rounded(
    kind === 'value' || peer === undefined ? ours.p50 : kind === 'ratio' ? ours.p50 / peer.p50 : ours.p50 - peer.p50,
    1000
  )
  return {
    what,
    unit: ours.unit,
    ours: summaryOf(ours),
    ...(peer !== undefined && { peer: { name: peer.name, ...summaryOf(peer) } }),
    figure: { kind, value, ...(limit !== undefined && { limit }) },
    ...(limit !== undefined && { within: ours.unit.endsWith('/s') ? value >= limit : value <= limit }),
    ...(detail === true && { detail })
  }
}

/** Ours at its 99th percentile, against a limit. */
export function p99RowOf(what: string, series: Series, limit: number): Row {
  return { ...rowOf(what, series, 'value', { limit }), figure: { kind: 'value', value: series.p99, limit }, within: series.p99 <= limit }
}

function summaryOf({ p50, p90, p99, best }: Summary): Summary {
  return { p50, p90, p99, best }
}

function rounded(value: number, factor = 100): number {
  return Math.round(value * factor) / factor
}
