/** A shell where a step runs: its directory, and what it finds in its environment. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { RunInfo, Tree } from '../node/control/contract.ts'
import type { Io } from './io.ts'

/** Steps run here, unless their text goes elsewhere. */
export const DIRECTORY = '/'

/**
 * What the step that failed found in its environment, as far as it may be shown: secrets are not here.
 * Names are as src/goals/expression/paste.ts gives them.
 */
export function stepEnvironment({ id, suspended }: RunInfo): Record<string, string> {
  const step = suspended?.step
  if (step === undefined) return { CB_GOAL_ID: id }
  const known = { CB_GOAL_ID: id, CB_STEP: step.step, CB_IDEMPOTENCY_KEY: `${id}/${step.step}` }
  const values = Object.entries(suspended?.values ?? {}).flatMap(([path, value]) => {
    const name = `CB_${path
      .slice(path.lastIndexOf(':') + 1)
      .toUpperCase()
      .replace(/[^A-Z0-9]+/g, '_')
      .replace(/^_|_$/g, '')}`
    const text = (value as Tree | undefined)?.value
    return text !== undefined && step.env?.includes(name) === true ? [[name, String(text)] as const] : []
  })
  return { ...known, ...Object.fromEntries(values) }
}

/** Resolves once the person has left the shell. Its standard streams are those of this process. */
export async function shellOf(run: RunInfo, { env }: Io): Promise<void> {
  const shell = env['SHELL'] || '/bin/sh'
  const child = spawn(shell, [], { cwd: DIRECTORY, env: { ...env, ...stepEnvironment(run) }, stdio: 'inherit' })
  await once(child, 'exit')
}
