import { type Measured, rowOf, seriesOf } from './result.ts'
import { CLI } from './nodes.ts'
import { interleave, timeOf } from './sampling.ts'

/** Slower than bare Node by so much at most, in milliseconds: a person does not notice it. */
const LIMIT_MS = 60

/** `cloudburst --help` against `node -e 0`. */
export async function start(): Promise<Measured> {
  const taken = await interleave({
    ours: () => timeOf(process.execPath, [CLI, '--help']),
    bare: () => timeOf(process.execPath, ['-e', '0'])
  })
  const ours = seriesOf('cloudburst --help', 'ms', taken.ours)
  const bare = seriesOf('node -e 0', 'ms', taken.bare)
  return { rows: [rowOf('cloudburst --help', ours, 'difference', { peer: bare, limit: LIMIT_MS })], series: [ours, bare], notes: [] }
}
