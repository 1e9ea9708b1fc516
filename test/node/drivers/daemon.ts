/** Stands for a daemon: runs one command through the runner and prints what became of it. `[TIMEOUT_MS=N] daemon STATE STEP ARGV…` */
import { localDriver } from '../../../src/node/drivers/local.ts'
import { runnerClient } from '../../../src/node/runner/client.ts'

const [state, step, ...argv] = process.argv.slice(2)
const limit = process.env['TIMEOUT_MS'] === undefined ? {} : { timeoutMs: Number(process.env['TIMEOUT_MS']) }
const client = runnerClient(state!)
const pid = await client.ready()
process.stdout.write(`${JSON.stringify({ runner: pid })}\n`)
const finished = await localDriver(state!, client).run({ key: { goalId: 'g1', step: step!, attempt: 1 }, argv, env: {}, ...limit })
process.stdout.write(`${JSON.stringify(finished)}\n`)
await client.close()
