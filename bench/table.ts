/** `node --import tsx bench/table.ts`: renders the newest results between the markers of README.md. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { benchmarks } from './benchmarks.ts'
import type { Machine, Result, Row } from './result.ts'

const README = fileURLToPath(new URL('../README.md', import.meta.url))
const RESULTS = fileURLToPath(new URL('./results/', import.meta.url))
const MARKED = /(<!-- bench -->\n)[\s\S]*?(<!-- \/bench -->)/
const HEAD = ['what', 'cloudburst, median (best)', 'against, median (best)', 'figure', 'limit']

/** Lines for a terminal. */
export function plainTable(rows: readonly Row[]): string[] {
  const cells = [HEAD, ...rows.map(cellsOf)]
  const widths = HEAD.map((_, column) => Math.max(...cells.map(row => row[column]!.length)))
  return cells.map(row => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd())
}

/** Lines of Markdown, the machines below. */
export function markdownTable(results: readonly Result[]): string[] {
  const lines = [HEAD, HEAD.map(() => '---'), ...results.flatMap(telling).map(cellsOf)]
  const measured = results.map(({ at, machine }) => `${machineText(machine)}, on ${at.slice(0, 10)}`)
  const busiest = Math.max(...results.flatMap(({ load }) => load ?? []))
  const notes = results.flatMap(result => result.notes)
  return [
    ...lines.map(cells => `| ${cells.join(' | ')} |`),
    '',
    `Measured on ${[...new Set(measured)].join('; ')}. Each figure and its peer come from one run, in turns; \`npm run bench\` measures yours.`,
    `The highest load average meanwhile was ${busiest.toFixed(1)}.`,
    '',
    ...notes.map(note => `- ${note}`)
  ]
}

/** The newest result of each benchmark that there is, most telling first. */
export function newestResults(): Result[] {
  const newest = new Map<string, Result>()
  for (const file of readdirSync(RESULTS).filter(name => name.endsWith('.json'))) {
    const result = JSON.parse(readFileSync(RESULTS + file, 'utf8')) as Result
    const known = newest.get(result.name)
    if (known === undefined || known.at < result.at) newest.set(result.name, result)
  }
  return Object.keys(benchmarks).flatMap(name => newest.get(name) ?? [])
}

function telling({ rows }: Result): readonly Row[] {
  return rows.filter(row => row.detail !== true)
}

function cellsOf({ what, ours, unit, peer, figure, within }: Row): string[] {
  const verdict = within === undefined ? '' : within ? '' : ' (missed)'
  return [
    what,
    medianAndBest(ours, unit),
    peer === undefined ? '' : `${peer.name}: ${medianAndBest(peer, unit)}`,
    `${figureText(figure, unit, figure.value)}${verdict}`,
    figure.limit === undefined ? '' : `${unit.endsWith('/s') ? '≥' : '≤'} ${figureText(figure, unit, figure.limit)}`
  ]
}

function medianAndBest({ p50, best }: { readonly p50: number; readonly best: number }, unit: string): string {
  return `${number(p50)} ${unit} (${number(best)})`
}

function figureText({ kind }: Row['figure'], unit: string, value: number): string {
  if (kind === 'ratio') return `${value.toFixed(2)} ×`
  return `${kind === 'difference' && value > 0 ? '+' : ''}${number(value)} ${unit}`
}

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1)
}

function machineText({ cpu, cores, memoryGB, kernel, node }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGB} GB, Linux ${kernel}, Node ${node}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = readFileSync(README, 'utf8')
  if (!MARKED.test(text)) throw new Error('README.md has no <!-- bench --> … <!-- /bench -->')
  writeFileSync(
    README,
    text.replace(MARKED, (_, open: string, close: string) => `${open}${markdownTable(newestResults()).join('\n')}\n${close}`)
  )
}
