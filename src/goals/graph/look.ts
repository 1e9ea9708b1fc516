/** How a node looks in every kind of drawing: words and colours, of one table. */
import { oneLine } from '../render/escape.ts'
import { duration } from '../render/words.ts'
import type { GraphNode } from './graph.ts'

/** Longest line in a box, in characters; commands go on for pages. */
const LINE_CHARS_MAX = 60

/** What a node is drawn as; the words of the plan's legend and of the live tree. */
export type Look = 'to-do' | 'redo' | 'undo' | 'possible' | 'true' | 'running' | 'done' | 'failed' | 'waiting'

/** Fill colours that can be told apart in black and white too. Source: colorbrewer2.org, Pastel1 */
export const fills: Readonly<Record<Look, string>> = {
  'to-do': '#ccebc5',
  redo: '#fed9a6',
  undo: '#fbb4ae',
  possible: '#ffffcc',
  true: '#f2f2f2',
  running: '#b3cde3',
  done: '#ccebc5',
  failed: '#fbb4ae',
  waiting: '#fed9a6'
}

export function lookOf({ mark, status }: GraphNode): Look {
  if (status !== undefined) {
    switch (status) {
      case 'running':
      case 'done':
      case 'failed':
        return status
      case 'already-true':
        return 'true'
      case 'ignored':
        return 'possible'
      case 'suspended':
      case 'in-doubt':
      case 'stopped':
        return 'waiting'
    }
  }
  switch (mark) {
    case '~':
      return 'redo'
    case '-':
      return 'undo'
    case '?':
      return 'possible'
    case '=':
      return 'true'
    default:
      return 'to-do'
  }
}

/** What stands in the box: mark and text, where, and what is known besides. No control characters. */
export function linesOf(node: GraphNode): string[] {
  const { mark, kind, label, method, describe, peer, status, durationMs } = node
  const first = `${mark === undefined ? '' : `${mark} `}${oneLine(kind === 'step' && describe !== undefined ? describe : label, LINE_CHARS_MAX)}`
  const where = peer === undefined ? '' : ` @${oneLine(peer, LINE_CHARS_MAX)}`
  const facts = [
    ...(method === undefined ? [] : [`by ${oneLine(method, LINE_CHARS_MAX)}`]),
    ...(status === undefined ? [] : [status]),
    ...(durationMs === undefined ? [] : [duration(durationMs)])
  ]
  return [first + where, ...(facts.length === 0 ? [] : [facts.join(' · ')])]
}
