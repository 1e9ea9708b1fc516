import { execFile } from 'node:child_process'
import { isDeepStrictEqual } from 'node:util'
import { allOf } from '../test/sim/world/many.ts'
import { cleanly } from './leftovers.ts'
import { CLI, PROGRAM, startNodes } from './nodes.ts'
import { progress } from './progress.ts'
import { type Measured, rowOf, seriesOf } from './result.ts'
import { amountOf, roundsOf } from './sampling.ts'

const HOSTS = 200
const ROUND_TRIP_MS = 80
/** One of twenty, here and there. */
const DOWN = 0.05
const ROUNDS = 5

/** `dispatch --all` with one host of twenty down: a whole and true table, of simulated hosts far away and of real daemons here. */
export function many(): Promise<Measured> {
  return cleanly(async later => {
    progress(`${HOSTS} simulated hosts`)
    const simulated = await allOf({
      seed: 3,
      hosts: HOSTS,
      roundTripMs: ROUND_TRIP_MS,
      down: HOSTS * DOWN,
      denying: 4,
      failing: 6
    })
    if (!isDeepStrictEqual(simulated.rows, simulated.truth)) throw new Error('the table of the simulated hosts is not true')
    const count = amountOf(20, 6)
    const nodes = await startNodes(count + 1)
    later(() => nodes.stop())
    const { home } = nodes.all[0]!
    await cloudburst(home.base, 'load', PROGRAM)
    const down = nodes.all.slice(1, 1 + Math.max(1, count * DOWN))
    const [whole, missing]: [number[], number[]] = [[], []]
    const round = async (taken: number[]): Promise<void> => {
      const began = performance.now()
      const rows = JSON.parse(await cloudburst(home.base, 'dispatch', 'command', '--all', '-o', 'json')) as readonly Outcome[]
      taken.push(performance.now() - began)
      const wrong = rows.filter(
        ({ node, status }) => status !== (down.some(({ name, process }) => name === node && process.killed) ? 'unreachable' : 'completed')
      )
      if (rows.length !== count || wrong.length > 0) throw new Error(`the table is not true: ${JSON.stringify(wrong)}`)
    }
    for (let at = 0; at < roundsOf(ROUNDS); at++) await round(whole)
    for (const { process } of down) process.kill('SIGKILL')
    for (let at = 0; at < roundsOf(ROUNDS); at++) {
      progress(`round ${at + 1} with ${down.length} of ${count} down`)
      await round(missing)
    }
    const far = seriesOf(`dispatch --all, ${HOSTS} simulated hosts`, 'ms', [simulated.tookMs])
    const all = seriesOf(`dispatch --all, ${count} daemons`, 'ms', whole)
    const most = seriesOf(`dispatch --all, ${count} daemons, ${down.length} of them down`, 'ms', missing)
    const so = (state: string): number => simulated.rows.filter(row => row.state === state).length
    return {
      rows: [
        rowOf(`dispatch --all, ${HOSTS} hosts ${ROUND_TRIP_MS} ms away, ${HOSTS * DOWN} of them down: the whole table`, far, 'value'),
        rowOf(`dispatch --all, ${count} daemons here, ${down.length} of them down: the whole table`, most, 'value'),
        rowOf(`dispatch --all, ${count} daemons here, all up: the whole table`, all, 'value')
      ],
      series: [far, most, all],
      notes: [
        `of the ${HOSTS} simulated hosts (simulated time, the product's code): ${so('done')} done, ${so('suspended')} suspended, ${so('unreachable')} unreachable, ${so('denied')} denied, as it was; a host that is down is waited for, as long as a dispatch may take to be accepted`
      ]
    }
  })
}

interface Outcome {
  readonly node: string
  readonly status: string
}

/** What it prints, whatever its exit status. */
function cloudburst(home: string, ...words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [CLI, ...words, '--home', home], (error, stdout, stderr) =>
      stdout === '' && error !== null ? reject(new Error(`${words.join(' ')}: ${stderr}`)) : resolve(stdout)
    )
  })
}
