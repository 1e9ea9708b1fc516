/** What every command says of itself. */
import type { Invocation } from '../arguments.ts'
import type { OptionName } from '../options.ts'

export interface CommandSpec {
  readonly summary: string
  /** Words after the command's name. */
  readonly usage: string
  readonly options: readonly OptionName[]
  /** Pasted as it is, without the leading `cloudburst`. */
  readonly example: string
  /** What completion offers for words. */
  readonly completes?: 'goals' | 'runs' | 'agents' | 'programs' | 'files' | 'commands'
  /** Words after the first that is not an option belong to somebody else: `run ls -l`. */
  readonly raw?: true
  readonly load: () => Promise<{ readonly run: (invocation: Invocation) => Promise<number> }>
}

/** Commands that belong together, in the order of the help. */
export type Verbs = Readonly<Record<string, CommandSpec>>

/** How much is told of a goal. */
export const verbosity = ['narrate', 'goals', 'echo', 'lines'] as const
/** What is asked for, and with which values. */
export const goalOptions = ['program', 'agent', 'set', 'accept-suggestions'] as const
