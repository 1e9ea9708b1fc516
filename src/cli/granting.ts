/** What `authority certify` and `grant delegate` have in common: bounds from options, and handing the grant over. */
import { CloudburstError } from '../errors.ts'
import { oneLine } from '../goals/render/escape.ts'
import type { Capability } from '../node/control/contract.ts'
import { type Invocation, milliseconds } from './arguments.ts'
import { showOne } from './output.ts'
import { daemonOf } from './session.ts'

/** A day: machines are certified anew by themselves, people when they come to work. */
const LIFETIME_MS = 24 * 60 * 60 * 1_000

/**
 * What is to be granted, to whom.
 * @throws CloudburstError CB_USAGE
 */
export function grantFrom({ command, options }: Invocation, email: string) {
  const { key, capability, program, goal, var: vars, on, concurrent, lifetime, fresh, renew } = options
  if (key === undefined)
    throw new CloudburstError('CB_USAGE', `${command} needs --key PEER: what cloudburst identity show prints at ${email}`, { command })
  if (capability === undefined)
    throw new CloudburstError('CB_USAGE', `${command} needs --capability: name each thing that ${email} may do`, { command })
  return {
    subject: key,
    email,
    bounds: {
      capabilities: capability.flatMap(word => word.split(/[\s,]+/)) as Capability[],
      ...(program !== undefined && { programs: program.split(',') }),
      ...(goal !== undefined && { goals: goal.flatMap(word => word.split(',')) }),
      ...(vars !== undefined && { vars: vars.flatMap(word => word.split(',')) }),
      ...(on !== undefined && { on }),
      ...(concurrent !== undefined && { concurrent: Number(concurrent) })
    },
    lifetimeMs: lifetime === undefined ? LIFETIME_MS : milliseconds(lifetime, 'lifetime'),
    ...(fresh !== undefined && { fresh: milliseconds(fresh, 'fresh') }),
    ...(renew === true && { renew })
  }
}

/** Prints the grant on stdout, for a file, after it was handed over if that can be done now. */
export async function printGrant(
  invocation: Invocation,
  { id, statement, expiry }: { readonly id: string; readonly statement: string; readonly expiry: number },
  email: string
): Promise<number> {
  const handed = await tell(invocation, [statement])
  const until = new Date(expiry).toISOString()
  const how =
    handed.length > 0
      ? 'it was handed over'
      : 'it could not be handed over: give the line on stdout to its holder, for `cloudburst grant add FILE`'
  invocation.io.stderr.write(`grant ${id} for ${oneLine(email)} until ${until}; ${how}\n`)
  await showOne(invocation, { id, statement, expiry, handed: handed.length > 0 }, id, () => [statement])
  return 0
}

/** Tells a daemon what was signed, if there is one. @returns peer ids of whom a grant was handed over to */
export async function tell(invocation: Invocation, statements: readonly string[]): Promise<readonly string[]> {
  try {
    return (await daemonOf(invocation).local('trust', { statements })).handed
  } catch (error) {
    if (error instanceof CloudburstError && error.code === 'CB_NO_DAEMON') return []
    throw error
  }
}

/** Authorities, grants and keys of the home of this invocation. */
export async function homeTrust({ options, io }: Invocation) {
  const { daemonless } = await import('./daemonless.ts')
  const { homes, trustOf } = await daemonless()
  const { resolveHome } = await homes()
  return await trustOf(resolveHome(options.home, io.env, io.uid))
}
