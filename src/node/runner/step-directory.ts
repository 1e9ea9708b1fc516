/** Where what a command printed and how it ended lies: `<state>/steps/<goal id>/<hash of the step>.<attempt>/`. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { CommandKey } from '../../goals/ports.ts'

/** Standard output, standard error, how it ended, what it is. */
export const OUT = 'out'
export const ERR = 'err'
export const EXIT = 'exit'
export const META = 'meta.json'

/** What is written down about a command before it starts: no arguments, no environment, so no secret. */
export interface StepMeta extends CommandKey {
  /** Epoch milliseconds. */
  readonly startedAt: number
  /** The same by the time since the host's start, in milliseconds. */
  readonly startedUpMs?: number
  readonly timeoutMs?: number
  /** Nothing was started under this key, and nothing may be any more. */
  readonly never?: true
}

/** Longest name of a goal's directory. */
const NAME_LENGTH_MAX = 128

/** Directory of all steps below a state directory. */
export function stepsDirectory(state: string): string {
  return join(state, 'steps')
}

/** Directory of the steps of one goal. @throws when the id could name another place */
export function goalDirectory(state: string, goalId: string): string {
  return join(stepsDirectory(state), fileName(goalId))
}

/** Directory of one attempt of one step. A step's name may hold anything, so its hash stands for it. */
export function stepDirectory(state: string, key: CommandKey): string {
  const hash = createHash('sha256').update(key.step).digest('hex').slice(0, 24)
  return join(goalDirectory(state, key.goalId), `${hash}.${key.attempt}`)
}

/** `name` if it can only name an entry of a directory. @throws otherwise */
export function fileName(name: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name) && name.length <= NAME_LENGTH_MAX) return name
  throw new Error(`not usable as a file name: ${JSON.stringify(name.slice(0, NAME_LENGTH_MAX))}`)
}
