/** `goal.build=@artifact:FILE`: the file is kept by this node's daemon, and named by what is in it. */
import { resolve } from 'node:path'
import { CloudburstError } from '../errors.ts'
import type { Invocation } from './arguments.ts'
import { daemonOf } from './session.ts'

const KEPT = /^@artifact:(.*)$/s

/**
 * The invocation with each such value replaced by its `sha256:…`.
 * @throws CloudburstError CB_NO_DAEMON, CB_USAGE
 */
export async function withFilesKept(invocation: Invocation): Promise<Invocation> {
  const { command } = invocation
  const assignments: { path: string; value: string }[] = []
  for (const assignment of invocation.assignments) {
    const [, file] = KEPT.exec(assignment.value) ?? []
    if (file === '') throw new CloudburstError('CB_USAGE', `${assignment.path}=@artifact: needs the path of a file`, { command })
    const value =
      file === undefined ? assignment.value : `sha256:${(await daemonOf(invocation).local('keepfile', { path: resolve(file) })).hash}`
    assignments.push({ path: assignment.path, value })
  }
  return { ...invocation, assignments }
}
