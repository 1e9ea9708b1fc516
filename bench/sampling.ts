/** Taking samples: interleaved, so that what disturbs the machine disturbs both sides. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { progress } from './progress.ts'

/** Fewest samples of a median that is worth printing. */
export const SAMPLES = 25
/** First rounds that are thrown away: caches fill, compilers warm up. */
const WARM_UP_ROUNDS = 2

/** Set by `--quick`: a look at whether everything works, in processes of a benchmark too. */
export const QUICK = 'CLOUDBURST_BENCH_QUICK'
const QUICK_ROUNDS = 2

/** Of two amounts the smaller one with `--quick`. To be asked when a benchmark runs: its module may be read before that is known. */
export function amountOf(whole: number, quick: number): number {
  return process.env[QUICK] === undefined ? whole : quick
}

/** Rounds to take when `wanted` make a result. */
export function roundsOf(wanted: number): number {
  return process.env[QUICK] === undefined ? wanted : Math.min(wanted, QUICK_ROUNDS)
}

/** One thing to time: what it gives back is milliseconds, measured by itself. */
export type Sampler = () => Promise<number>

/**
 * Takes `rounds` samples of each, in turns, every other round in reverse order.
 * @returns samples by name
 */
export async function interleave<N extends string>(
  samplers: Readonly<Partial<Record<N, Sampler>>>,
  rounds: number = SAMPLES
): Promise<Record<N, number[]>> {
  const names = Object.keys(samplers) as N[]
  const taken = Object.fromEntries(names.map(name => [name, []])) as unknown as Record<N, number[]>
  for (let round = -WARM_UP_ROUNDS; round < roundsOf(rounds); round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      const sample = await samplers[name]!()
      if (round >= 0) taken[name].push(sample)
    }
    progress(`round ${Math.max(0, round + 1)} of ${roundsOf(rounds)} of ${names.join(', ')}`)
  }
  return taken
}

/**
 * Milliseconds from spawn to exit of a command; its output goes nowhere.
 * @throws Error when it does not exit with 0, with the end of what it wrote to standard error
 */
export async function timeOf(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const began = performance.now()
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000)
  })
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  const took = performance.now() - began
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${code ?? signal}\n${said}`)
  return took
}
