/** Data on stdout, in the form that was asked for. */
import { CloudburstError } from '../errors.ts'
import { oneLine } from '../goals/render/escape.ts'
import { didYouMean } from '../goals/render/suggest.ts'
import type { Invocation } from './arguments.ts'
import type { Io } from './io.ts'

export type OutputFormat = 'table' | 'wide' | 'json' | 'yaml' | 'name' | 'plain'

/** A column of a table. */
export interface Column<T> {
  readonly title: string
  readonly of: (row: T) => string | number | undefined
  /** Only with `-o wide`. */
  readonly wide?: true
}

export interface Table<T> {
  readonly columns: readonly Column<T>[]
  /** What `-o name` prints, one a line: a word that other commands take. */
  readonly name: (row: T) => string
  /** Said on stderr instead of an empty table. */
  readonly empty: string
}

/** @throws CloudburstError CB_USAGE for a word that is none of the formats */
export function formatOf({ command, options }: Invocation): OutputFormat {
  const format = options.output ?? 'table'
  switch (format) {
    case 'table':
    case 'wide':
    case 'json':
    case 'yaml':
    case 'name':
      return format
    case 'plain':
      if (command === 'plan') return format
  }
  const all = ['table', 'wide', 'json', 'yaml', 'name', ...(command === 'plan' ? ['plain', 'dot', 'mermaid', 'svg'] : [])]
  const there = `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`
  throw new CloudburstError('CB_USAGE', `there is no output format ${format}${didYouMean(format, all)}; there are ${there}`, { command })
}

/** Whether stdout is for a program: progress goes to stderr then. */
export function isForPrograms(invocation: Invocation): boolean {
  return invocation.options.output !== undefined && !['table', 'wide', 'plain'].includes(invocation.options.output)
}

/** Prints `rows` as a table or as data. */
export async function showRows<T>(invocation: Invocation, rows: readonly T[], table: Table<T>): Promise<void> {
  const format = formatOf(invocation)
  if (await showData(invocation.io, format, rows)) return
  if (format === 'name')
    write(
      invocation.io,
      rows.map(row => oneLine(table.name(row)))
    )
  else if (rows.length === 0) invocation.io.stderr.write(`${table.empty}\n`)
  else
    write(
      invocation.io,
      tableLines(
        rows,
        table.columns.filter(column => format === 'wide' || !column.wide)
      )
    )
}

/** Prints one thing: as data, or as the lines that `text` gives. */
export async function showOne<T>(invocation: Invocation, value: T, name: string, text: () => readonly string[]): Promise<void> {
  const format = formatOf(invocation)
  if (await showData(invocation.io, format, value)) return
  write(invocation.io, format === 'name' ? [oneLine(name)] : text())
}

/** Lines of a table: columns two blanks apart, titles in capitals, the last column not padded. Source: kubectl */
export function tableLines<T>(rows: readonly T[], columns: readonly Column<T>[]): string[] {
  const cells = [
    columns.map(column => column.title),
    ...rows.map(row => columns.map(column => oneLine(String(column.of(row) ?? '')) || '-'))
  ]
  const widths = columns.map((_, at) => Math.max(...cells.map(line => widthOf(line[at] ?? ''))))
  return cells.map(line =>
    line.map((cell, at) => (at === line.length - 1 ? cell : cell + ' '.repeat((widths[at] ?? 0) - widthOf(cell)))).join('  ')
  )
}

/** `title  value` rows, aligned; those without a value are left out. */
export function factLines(facts: readonly (readonly [string, string | number | undefined])[]): string[] {
  const known = facts.filter(([, value]) => value !== undefined && value !== '')
  const width = Math.max(0, ...known.map(([title]) => title.length))
  return known.map(([title, value]) => `${title.padEnd(width)}  ${oneLine(String(value))}`)
}

/** `5 s`, `3 min`, `2 h`, `4 d` since then. */
export function ageOf(at: number, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - at) / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`
  return seconds < 48 * 3600 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`
}

/** `key=value,key=value` */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
}

/** A peer id short enough for a table, its end kept: ids of one kind begin alike. */
export function shortPeer(peer: string): string {
  return peer.length > 12 ? `…${peer.slice(-8)}` : peer
}

/** As JSON or YAML; false when the format is another. */
async function showData(io: Io, format: OutputFormat, value: unknown): Promise<boolean> {
  if (format === 'json') io.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
  else if (format === 'yaml') io.stdout.write((await import('./yaml.ts')).stringify(value, { aliasDuplicateObjects: false }))
  return format === 'json' || format === 'yaml'
}

function write(io: Io, lines: readonly string[]): void {
  if (lines.length > 0) io.stdout.write(`${lines.join('\n')}\n`)
}

function widthOf(text: string): number {
  return Array.from(text).length
}
