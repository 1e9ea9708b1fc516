/** The end of a daemon that makes room for another release: the same process goes on as the script that tries it. */
import { join } from 'node:path'
import type { Release } from './release.ts'

/** What comes after this daemon. */
export interface HandOver {
  readonly release: Release
  /** File of the trial: scripts/package/cloudburstd.sh reads it. */
  readonly trial: string
}

/** Tells a daemon that another process watches over it, and which trial it is on. Never seen by steps. */
const TRIED = 'CLOUDBURST_TRIED'
/** Exit status that asks whoever watches over this daemon to try the next release. */
const TRY_NEXT = 79

/** The trial that this process was started for, if any. Takes it out of `env`: steps get what is left. */
export function takeTried(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const trial = env[TRIED]
  delete env[TRIED]
  return trial === '' ? undefined : trial
}

/** Tells a daemon that a newer release has run here a moment ago, and was not kept. */
const RETURNED = 'CLOUDBURST_RETURNED'

/** Whether this daemon is the way back from another release. Takes it out of `env`. */
export function takeReturned(env: NodeJS.ProcessEnv = process.env): boolean {
  const returned = env[RETURNED]
  delete env[RETURNED]
  return returned === 'yes'
}

/** Whether this process can become another one: without that, nobody would be there for the way back. */
export function canHandOver(tried: string | undefined): boolean {
  return tried !== undefined || typeof process.execve === 'function'
}

/** Becomes the script that tries the new release, with this daemon's words; pid, log and service stay what they are. Does not return. */
export function handOver({ release, trial }: HandOver, tried: string | undefined, env: NodeJS.ProcessEnv): never {
  if (tried !== undefined || process.execve === undefined) process.exit(TRY_NEXT)
  const script = join(release.tree, 'bin/cloudburstd')
  return process.execve(script, [script, ...process.argv.slice(2)], { ...env, CLOUDBURST_TRIAL: trial })
}
