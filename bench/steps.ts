import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Dispatched, GoalEvent } from '../src/node/control/contract.ts'
import { PROGRAM, startNodes } from './nodes.ts'
import { type Measured, rowOf, seriesOf } from './result.ts'
import { interleave } from './sampling.ts'

/** Longest median, in milliseconds, beyond what starting the command takes by itself. */
const LIMIT_MS = 5
/** Commands of the goal `commands`. */
const COMMANDS = 20

/** What a step costs beyond its command: synced intent, runner, output files, synced exit record, synced outcome. */
export async function steps(): Promise<Measured> {
  const nodes = await startNodes(1)
  try {
    const { connection } = nodes.all[0]!
    await connection.post('calls/load', { files: [{ name: 'bench.xml', text: readFileSync(PROGRAM, 'utf8') }] })
    const taken = await interleave({
      ours: async () => {
        const sent = (await connection.post('calls/pursue', { goal: 'commands', program: 'bench', assignments: [] })) as Extract<
          Dispatched,
          { id: string }
        >
        return perStep(await connection.events(sent.id))
      },
      bare: bareCommands
    })
    const ours = seriesOf('one step of `true`', 'ms', taken.ours)
    const bare = seriesOf('spawn of /bin/sh -c true', 'ms', taken.bare)
    return {
      rows: [rowOf('one step, beyond its command', ours, 'difference', { peer: bare, limit: LIMIT_MS })],
      series: [ours, bare],
      notes: [`each sample is the mean of ${COMMANDS} commands one after the other, from the first step-began to the last step-ended`]
    }
  } finally {
    await nodes.stop()
  }
}

function perStep(events: readonly GoalEvent[]): number {
  const began = events.find(({ body }) => body.type === 'step-began')
  const ended = events.filter(({ body }) => body.type === 'step-ended')
  if (began === undefined || ended.length !== COMMANDS) throw new Error(`${ended.length} steps ended, not ${COMMANDS}`)
  return (ended.at(-1)!.at - began.at) / COMMANDS
}

/** The same commands, started by this process and nothing else. */
async function bareCommands(): Promise<number> {
  const began = performance.now()
  for (let at = 0; at < COMMANDS; at++) await once(spawn('/bin/sh', ['-c', 'true'], { stdio: 'ignore' }), 'exit')
  return (performance.now() - began) / COMMANDS
}
