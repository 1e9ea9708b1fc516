import { resolve } from 'node:path'
import { CloudburstError } from '../../errors.ts'
import type { StoreCheck } from '../../node/control/contract.ts'
import type { Invocation } from '../arguments.ts'
import { factLines, showOne } from '../output.ts'
import { oneLine } from '../../goals/render/escape.ts'
import { daemonOf } from '../session.ts'

/** Looks at the store of this home, writes it to a file, or makes it from one. Only `check` may be asked while the daemon runs. */
export async function run(invocation: Invocation): Promise<number> {
  const [verb, file, ...more] = invocation.words
  if (verb === 'check' && file === undefined) return await check(invocation)
  if (verb === 'export' && file !== undefined && more.length === 0) return await exportTo(invocation, file)
  if (verb === 'import' && file !== undefined && more.length === 0) return await importFrom(invocation, file)
  throw new CloudburstError('CB_USAGE', 'store takes: check, export FILE, or import FILE', { command: 'store' })
}

async function check(invocation: Invocation): Promise<number> {
  const found = await daemonOf(invocation)
    .local('checkstore', {})
    .catch(async error => {
      if (error instanceof CloudburstError && error.code === 'CB_NO_DAEMON') return await (await atRest(invocation)).check()
      throw error
    })
  await showOne(invocation, found, found.problems.length === 0 ? 'sound' : 'damaged', () => checkLines(found))
  return found.problems.length === 0 ? 0 : 1
}

function checkLines({ runs, events, compacted, problems }: StoreCheck): readonly string[] {
  return [
    ...factLines([
      ['goals', runs],
      ['events', events],
      ['compacted', compacted === 0 ? undefined : `${compacted} goals: their events were removed, they ended long ago`],
      ['problems', problems.length]
    ]),
    ...problems.map(({ reason }) => `  ${oneLine(reason)}`)
  ]
}

async function exportTo(invocation: Invocation, word: string): Promise<number> {
  const file = resolve(invocation.io.cwd, word)
  const { keys, bytes } = await (await atRest(invocation)).exportTo(file)
  await showOne(invocation, { file, keys, bytes }, file, () => [`wrote ${keys} keys, ${bytes} bytes to ${oneLine(file)}`])
  return 0
}

async function importFrom(invocation: Invocation, word: string): Promise<number> {
  const file = resolve(invocation.io.cwd, word)
  const { keys, runs } = await (await atRest(invocation)).importFrom(file)
  await showOne(invocation, { file, keys, runs }, file, () => [`read ${keys} keys, ${runs} goals from ${oneLine(file)}; all hashes hold`])
  return 0
}

async function atRest({ options, io }: Invocation) {
  const { daemonless } = await import('../daemonless.ts')
  const { homes, storeAtRest } = await daemonless()
  const { resolveHome } = await homes()
  return await storeAtRest(resolveHome(options.home, io.env, io.uid))
}
