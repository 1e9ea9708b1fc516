import { readFileSync } from 'node:fs'
import { type Node, PROGRAM, startNodes } from './nodes.ts'
import { type Measured, rowOf, seriesOf } from './result.ts'
import { interleave } from './sampling.ts'
import { countSyncs, whyNoStrace } from './syncs.ts'

/** Longest median, in milliseconds, with both journals synced. */
const LIMIT_MS = 10
const ROUNDS = 100
const TRACED_ROUNDS = 50

/** Over one open connection to the control socket: from the request to the outcome event. */
export async function dispatchSocket(): Promise<Measured> {
  const nodes = await startNodes(2)
  try {
    const [first, second] = nodes.all as readonly [Node, Node]
    const { connection } = first
    await connection.post('calls/load', { files: [{ name: 'bench.xml', text: readFileSync(PROGRAM, 'utf8') }] })
    const once = async (goal: string): Promise<number> => {
      const began = performance.now()
      await connection.events(await connection.dispatch(goal, 'n2'))
      return performance.now() - began
    }
    const taken = await interleave({ noop: () => once('noop'), command: () => once('command') }, ROUNDS)
    const noop = seriesOf('POST dispatch noop to outcome event', 'ms', taken.noop)
    const command = seriesOf('POST dispatch command to outcome event', 'ms', taken.command)
    return {
      rows: [
        rowOf('dispatch of nothing, open connection', noop, 'value', { limit: LIMIT_MS }),
        rowOf('dispatch of `true`, open connection', command, 'value', { detail: true })
      ],
      series: [noop, command],
      notes: [await syncsNote(first, second, () => once('noop'))]
    }
  } finally {
    await nodes.stop()
  }
}

/** That it is quick must not come from not being written down. */
async function syncsNote(first: Node, second: Node, dispatch: () => Promise<number>): Promise<string> {
  const missing = whyNoStrace()
  if (missing !== undefined) return `syncs were not counted: ${missing}`
  try {
    const [here, there] = await countSyncs([first.process.pid!, second.process.pid!], async () => {
      for (let round = 0; round < TRACED_ROUNDS; round++) await dispatch()
    })
    return `syncs of ${TRACED_ROUNDS} dispatches, by strace: ${here} at the dispatcher, ${there} at the executor`
  } catch (error) {
    return `syncs were not counted: ${error instanceof Error ? error.message : String(error)}`
  }
}
