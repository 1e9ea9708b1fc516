/** Drawings of graphs, in the form that was asked for. */
import { writeFileSync } from 'node:fs'
import { CloudburstError } from '../errors.ts'
import { type Clustering, clusterings } from '../goals/graph/clusters.ts'
import { collapsed } from '../goals/graph/collapse.ts'
import { dotText } from '../goals/graph/dot.ts'
import type { Graph } from '../goals/graph/graph.ts'
import { withCriticalPath } from '../goals/graph/longest-way.ts'
import { mermaidText } from '../goals/graph/mermaid.ts'
import { duration } from '../goals/render/words.ts'
import type { Invocation } from './arguments.ts'

export const drawingFormats = ['dot', 'mermaid', 'svg', 'json'] as const
export type DrawingFormat = (typeof drawingFormats)[number]

/** Most nodes that are laid out as a picture: Graphviz needs about a second for 3,000, and nobody can read more. */
const SVG_NODES_MAX = 5_000
/** Deepest that `--collapse` counts. */
const DEPTH_MAX = 1_000

export interface Drawing {
  readonly format: DrawingFormat
  readonly by: Clustering
  readonly depth?: number
  readonly critical: boolean
}

/** @throws CloudburstError CB_USAGE for words that none of the options takes */
export function drawingOf({ command, options }: Invocation): Drawing {
  const { output = 'dot', cluster = 'goal', collapse, 'critical-path': critical = false } = options
  const format = drawingFormats.find(each => each === output)
  if (format === undefined)
    throw new CloudburstError('CB_USAGE', `${command} draws as dot, mermaid, svg or json, not ${output}`, { command })
  const by = clusterings.find(each => each === cluster)
  if (by === undefined) throw new CloudburstError('CB_USAGE', `--cluster takes ${clusterings.join(', ')}, not ${cluster}`, { command })
  if (collapse === undefined) return { format, by, critical }
  const depth = /^\d{1,4}$/.test(collapse) ? Number(collapse) : 0
  if (depth < 1 || depth > DEPTH_MAX)
    throw new CloudburstError('CB_USAGE', `--collapse takes a depth of 1 to ${DEPTH_MAX}, not ${collapse}`, { command })
  return { format, by, depth, critical }
}

/** Draws to the file of `--out`, else to stdout; what is said of it goes to stderr. */
export async function draw({ options, io }: Invocation, drawing: Drawing, graph: Graph): Promise<void> {
  const { text, said } = await drawn(graph, drawing)
  for (const line of said) io.stderr.write(`${line}\n`)
  if (options.out === undefined) io.stdout.write(text)
  else writeFileSync(options.out, text)
}

/**
 * The drawing as text, and how long its longest way is when that was asked for.
 * @throws CloudburstError CB_USAGE when a picture would have more than SVG_NODES_MAX nodes
 */
async function drawn(graph: Graph, { format, by, depth, critical }: Drawing): Promise<{ text: string; said: readonly string[] }> {
  const marked = critical ? withCriticalPath(graph) : undefined
  const whole = marked?.graph ?? graph
  const shown = depth === undefined ? whole : collapsed(whole, depth)
  const said = marked === undefined ? [] : [`the longest way: ${duration(marked.durationMs)}`]
  switch (format) {
    case 'dot':
      return { text: dotText(shown, by), said }
    case 'mermaid':
      return { text: mermaidText(shown, by), said }
    case 'json':
      return { text: `${JSON.stringify(shown, null, 2)}\n`, said }
    case 'svg':
      if (shown.nodes.length > SVG_NODES_MAX)
        throw new CloudburstError(
          'CB_USAGE',
          `a picture of ${shown.nodes.length} nodes is not drawn, the limit is ${SVG_NODES_MAX}; try --collapse 2, or -o dot`
        )
      return { text: await svgOf(dotText(shown, by)), said }
  }
}

async function svgOf(dot: string): Promise<string> {
  const { Graphviz } = await import('@hpcc-js/wasm-graphviz')
  const graphviz = await Graphviz.load()
  return graphviz.dot(dot, 'svg')
}
