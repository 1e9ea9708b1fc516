import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Dispatched, RunInfo } from '../src/node/control/contract.ts'
import { costOf } from './cost.ts'
import { cleanly } from './leftovers.ts'
import { type Node, startDaemon, startNodes, stopNode, until } from './nodes.ts'
import { type Measured, rowOf, seriesOf } from './result.ts'
import { interleave } from './sampling.ts'

const PROGRAM = fileURLToPath(new URL('./programs/flow.xml', import.meta.url))
/** Steps that touch nothing but the goal: two events each. */
const TURNS = 10_000
/** Lines of one command: 7 MB, less than what is kept of it. */
const LINES = 1_000_000
const ROUNDS = 5
/** Events that are on both disks, a second. */
const EVENTS_LIMIT = 20_000
/** Lines that are on both disks, a second. */
const LINES_LIMIT = 100_000

/** What flows from one daemon to another while a goal is followed: small events, as they come and all at once; and lines. */
export function flow(): Promise<Measured> {
  return cleanly(async later => {
    const nodes = await startNodes(2)
    let [here] = nodes.all as readonly [Node, Node]
    const there = nodes.all[1]!
    later(() => nodes.stop())
    later(() => stopNode(here))
    const begin = async (goal: string, value: Readonly<Record<string, number>>): Promise<string> => {
      const assignments = Object.entries(value).map(([name, number]) => ({ path: `goal.${name}`, value: String(number) }))
      const [sent] = (await here.connection.post('local/dispatch', {
        goal,
        program: 'flow',
        assignments,
        peers: ['n2']
      })) as readonly Dispatched[]
      if (sent === undefined || !('id' in sent)) throw new Error(`dispatch of ${goal}: ${JSON.stringify(sent)}`)
      return sent.id
    }
    await here.connection.post('calls/load', { files: [{ name: 'flow.xml', text: readFileSync(PROGRAM, 'utf8') }] })
    const counts: number[] = []
    /** Microseconds of the processor an event, at the dispatcher and at the executor. */
    const costs: number[][] = []
    const live = async (): Promise<number> => {
      const began = performance.now()
      const events = await here.connection.events(await begin('events', { turns: TURNS }))
      const took = performance.now() - began
      counts.push(events.length)
      return (took * 1_000) / events.length
    }
    /** The dispatcher is away while the goal is pursued, and hears all of it when it is back. */
    const late = async (): Promise<number> => {
      const id = await begin('events', { turns: TURNS })
      await stopNode(here)
      await there.connection.events(id)
      here = { ...here, ...(await startDaemon(here.home)) }
      const [heard, spent] = [performance.now(), [here, there].map(node => costOf(node).cpuMs)]
      // Asked for now and then: whoever follows has each event told once more, which is not what is measured.
      await until('all is heard', async () => ((await here.connection.post('calls/goal', { id })) as RunInfo).status === 'completed')
      const [took, after] = [performance.now() - heard, [here, there].map(node => costOf(node).cpuMs)]
      const { length } = await here.connection.events(id)
      costs.push(after.map((ms, at) => ((ms - spent[at]!) * 1_000) / length))
      return (took * 1_000) / length
    }
    const lines = async (): Promise<number> => {
      const began = performance.now()
      await here.connection.events(await begin('lines', { count: LINES }))
      return performance.now() - began
    }
    const taken = await interleave({ live, late, lines }, ROUNDS)
    const rates = (milliseconds: readonly number[], amount: number): number[] => milliseconds.map(ms => (amount * 1_000) / ms)
    const ours = {
      late: seriesOf('events heard all at once', 'events/s', rates(taken.late, 1_000)),
      live: seriesOf('events pursued and heard', 'events/s', rates(taken.live, 1_000)),
      lines: seriesOf('lines printed and heard', 'lines/s', rates(taken.lines, LINES))
    }
    return {
      rows: [
        rowOf('events from journal to journal, to one who was away', ours.late, 'value', { limit: EVENTS_LIMIT }),
        rowOf('events from journal to journal, as they come about', ours.live, 'value'),
        rowOf('lines of output from node to node', ours.lines, 'value', { limit: LINES_LIMIT })
      ],
      series: Object.values(ours),
      details: costs.map(
        ([dispatcher = 0, executor = 0]) =>
          `heard all at once: ${dispatcher.toFixed(0)} µs of the processor an event at the dispatcher, ${executor.toFixed(0)} µs at the executor`
      ),
      notes: [
        `a goal of ${TURNS} steps that touch nothing but itself, ${counts[0]} events; and one command that prints ${LINES} lines; to the outcome at the dispatcher, on disk at both`
      ]
    }
  })
}
