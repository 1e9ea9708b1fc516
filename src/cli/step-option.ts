/** `--step` of a command. What asks is loaded only where it is given. */
import { CloudburstError } from '../errors.ts'
import type { Invocation } from './arguments.ts'
import type { Followed, Rest } from './follow.ts'
import type { Prompt } from './prompt.ts'

/** `--step` needs a terminal: said before anything has begun. @throws CloudburstError CB_USAGE */
export async function promptFor(invocation: Invocation): Promise<Prompt | undefined> {
  const { step, detach } = invocation.options
  if (step !== true) return undefined
  if (detach) throw new CloudburstError('CB_USAGE', '--step and --detach exclude each other', { command: invocation.command })
  const { openPrompt } = await import('./prompt.ts')
  return openPrompt(invocation.io, invocation.command, `${invocation.command} --step asks before each step, so it needs a terminal`)
}

/** Follows the goal, asking before each step. */
export async function stepThrough(invocation: Invocation, run: Followed, prompt: Prompt): Promise<Rest> {
  return await (await import('./stepping.ts')).stepThrough(invocation, run, prompt)
}
