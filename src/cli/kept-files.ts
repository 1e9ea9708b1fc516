/** `goal.build=@artifact:FILE`: the file is kept by this node's daemon, and named by what is in it. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { CloudburstError } from '../errors.ts'
import type { Invocation } from './arguments.ts'
import { daemonOf } from './session.ts'

const KEPT = /^@artifact:(.*)$/s
/** Commands that change nothing: a file is named by what is in it, and not kept. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(['plan', 'graph'])

/**
 * The invocation with each such value replaced by its `sha256:…`.
 * @throws CloudburstError CB_NO_DAEMON, CB_USAGE
 */
export async function withFilesKept(invocation: Invocation): Promise<Invocation> {
  const { command, options } = invocation
  const hashOf = async (file: string): Promise<string> =>
    WITHOUT_EFFECT.has(command) || options.plan === true
      ? await hashed(file, command)
      : (await daemonOf(invocation).local('keepfile', { path: file })).hash
  const assignments: { path: string; value: string }[] = []
  for (const { path, value } of invocation.assignments) {
    const [, file] = KEPT.exec(value) ?? []
    if (file === '') throw new CloudburstError('CB_USAGE', `${path}=@artifact: needs the path of a file`, { command })
    assignments.push({ path, value: file === undefined ? value : `sha256:${await hashOf(resolve(file))}` })
  }
  return { ...invocation, assignments }
}

async function hashed(file: string, command: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  } catch (error) {
    throw new CloudburstError('CB_USAGE', `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { command })
  }
  return hash.digest('hex')
}
