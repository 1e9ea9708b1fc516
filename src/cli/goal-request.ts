/** Words of a goal command → what the agency is asked. */
import { CloudburstError } from '../errors.ts'
import type { Agency, GoalRequest, Principal } from '../node/control/contract.ts'
import { type Invocation, onlyWord } from './arguments.ts'
import type { Io } from './io.ts'
import { atATime } from './several.ts'

/** The request, its program loaded first when `--program` names a file. */
export async function goalRequest(invocation: Invocation, agency: Agency, by: Principal): Promise<GoalRequest> {
  const goal = onlyWord(invocation, 'the name of a goal')
  const {
    program,
    agent,
    step,
    'ssh-reuse': sshReuse,
    'accept-suggestions': acceptSuggestions,
    'no-probe': noProbe,
    destroy,
    refresh,
    'no-refresh': noRefresh,
    'refresh-only': refreshOnly,
    parallel,
    target
  } = invocation.options
  if (destroy && (refresh || refreshOnly))
    throw new CloudburstError('CB_USAGE', '--destroy undoes what was done, --refresh and --refresh-only look at it: ask for one of them', {
      command: invocation.command
    })
  if (refresh && noRefresh)
    throw new CloudburstError('CB_USAGE', '--refresh and --no-refresh ask for the opposite: give one of them', {
      command: invocation.command
    })
  const locale = localeOf(invocation.io.env)
  return {
    goal,
    assignments: invocation.assignments,
    ...(program === undefined ? {} : { program: await loadedProgram(program, agency, by, invocation.io) }),
    ...(agent === undefined ? {} : { agent }),
    ...(acceptSuggestions ? { acceptSuggestions } : {}),
    ...(step ? { stepwise: true } : {}),
    ...(sshReuse ? { sshReuse: true } : {}),
    ...abreast(parallel, invocation.command),
    ...(destroy ? { destroy: true as const } : {}),
    ...(target === undefined ? {} : { target }),
    ...(refresh ? { refresh: true as const } : {}),
    ...(refreshOnly ? { refreshOnly: true as const } : {}),
    ...(noProbe ? { probe: false as const } : {}),
    ...(locale === undefined ? {} : { locale })
  }
}

/** `--parallel`, unless it counts nodes. @throws CloudburstError CB_USAGE */
function abreast(parallel: string | undefined, command: string): Pick<GoalRequest, 'abreast'> {
  return parallel === undefined || command === 'dispatch' ? {} : { abreast: atATime(parallel, command) }
}

/** The language that the person reads, as POSIX has it; undefined when none is chosen. */
export function localeOf(env: Io['env']): string | undefined {
  const chosen = [env['LC_ALL'], env['LC_MESSAGES'], env['LANG']].find(value => value !== undefined && value !== '')
  return chosen === undefined || chosen === 'C' || chosen === 'POSIX' || !/^[\w.@-]{1,64}$/.test(chosen) ? undefined : chosen
}

/** A name or hash as it is; a file is loaded, and its hash is what names it. */
export async function loadedProgram(program: string, agency: Agency, by: Principal, io: Io): Promise<string> {
  if (!program.endsWith('.xml')) return program
  const { readProgramFiles } = await import('../node/programs/program-files.ts')
  return (await agency.call('load', { files: readProgramFiles([program], io) }, by)).hash
}
