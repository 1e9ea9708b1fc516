/** Follows goals until they rest, printing what happens. */
import type { Agency, EventItem, Principal } from '../node/control/contract.ts'
import { CloudburstError } from '../errors.ts'
import { eventRenderer, type EventRenderer, quietest, type RenderOptions } from '../goals/render/events.ts'
import { withOvertaken } from '../goals/render/overtaken.ts'
import { oneLine } from '../goals/render/escape.ts'
import type { Invocation } from './arguments.ts'
import { isForPrograms } from './output.ts'
import { openScreen, type Screen } from './screen.ts'

/** A goal to follow. */
export interface Followed {
  readonly id: string
  /** Printed before each line, when several goals are followed. */
  readonly node?: string
  readonly agency: Agency
  readonly by: Principal
  /** Number of the first event to print, 1 when absent. */
  readonly from?: number
  /** Words that a pasted repair command needs. */
  readonly suffix: readonly string[]
  /** Pursued by this very process. */
  readonly here?: boolean
}

export type Rest = 'completed' | 'suspended' | 'cancelled' | 'unknown'

/** Exit status of a command that waited for a goal. */
export const exitOfRest: Readonly<Record<Rest, number>> = { completed: 0, suspended: 3, cancelled: 1, unknown: 1 }

/** What the options say about verbosity. */
export function renderOptions({ options }: Invocation, colour: boolean, suffix: readonly string[]): RenderOptions {
  return {
    ...quietest,
    narrate: options.narrate ?? false,
    goals: options.goals ?? false,
    echo: options.echo ?? false,
    lines: options.lines ?? false,
    verbose: options.verbose?.length ?? 0,
    colour,
    suffix
  }
}

/**
 * Prints each goal's stream as it comes; resolves with how each came to rest, in order.
 * @throws CloudburstError CB_INTERRUPTED on ctrl-C: the goals go on
 */
export async function followGoals(invocation: Invocation, runs: readonly Followed[]): Promise<Rest[]> {
  const { io } = invocation
  const width = Math.max(0, ...runs.map(run => run.node?.length ?? 0))
  const renderers: EventRenderer[] = []
  const block = (): string[] => runs.flatMap((run, at) => runningLines(renderers[at], prefixOf(run, width)))
  const screen = openScreen(isForPrograms(invocation) ? io.stderr : io.stdout, io, block)
  try {
    runs.forEach((run, at) => {
      renderers[at] = eventRenderer(renderOptions(invocation, screen.colour, run.suffix))
    })
    return await Promise.all(runs.map((run, at) => followOne(invocation, run, renderers[at]!, screen, prefixOf(run, width))))
  } finally {
    screen.close()
  }
}

async function followOne(invocation: Invocation, run: Followed, renderer: EventRenderer, screen: Screen, prefix: string): Promise<Rest> {
  const from = run.from ?? 1
  let rest: Rest = 'unknown'
  let seq = 0
  try {
    // From the first event on, though not all of it is printed: the totals and what is kept are read off the stream.
    const request = { id: run.id, from: 1, follow: true, output: wantsOutput(invocation) }
    for await (const { item, overtaken } of withOvertaken(run.agency.stream('events', request, run.by, invocation.io.interrupted))) {
      const lines = renderer.next(item, overtaken)
      if (item.type === 'event') seq = item.event.seq
      if (item.type === 'waiting' || seq >= from) screen.print(lines.map(line => (prefix + line).trimEnd()))
      rest = restAfter(item, rest)
    }
    if (rest === 'unknown') invocation.io.interrupted.throwIfAborted()
  } catch (error) {
    if (!invocation.io.interrupted.aborted) throw error
    throw new CloudburstError('CB_INTERRUPTED', `interrupted; goal ${run.id} goes on`, { id: run.id })
  }
  return rest
}

function wantsOutput({ options }: Invocation): boolean {
  return options.echo === true || options.lines === true
}

/** What a stream that ends now would have come to. */
function restAfter(item: EventItem, before: Rest): Rest {
  if (item.type !== 'event') return before
  switch (item.event.body.type) {
    case 'completed':
      return 'completed'
    case 'cancelled':
      return 'cancelled'
    case 'suspended':
      return 'suspended'
    case 'repaired':
      return 'unknown'
    default:
      return before
  }
}

function prefixOf(run: Followed, width: number): string {
  return run.node === undefined ? '' : `${oneLine(run.node).padEnd(width)} | `
}

function runningLines(renderer: EventRenderer | undefined, prefix: string): string[] {
  const now = Date.now()
  return (renderer?.live(now) ?? []).map(line => prefix + line)
}
