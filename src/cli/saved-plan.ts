/** Plans as files: what was seen when, by whom and where, for a look, a drawing, a comparison or its execution. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { CloudburstError } from '../errors.ts'
import { isTypedSecret } from '../goals/render/withheld.ts'
import type { GoalRequest, Plan } from '../node/control/contract.ts'
import type { Invocation } from './arguments.ts'
import type { Session } from './session.ts'

/** Raised when the form changes so that an older reader would misread it: schema/saved-plan.schema.json */
const SAVED_PLAN_VERSION = 1

export interface SavedPlan {
  readonly kind: 'cloudburst-plan'
  readonly version: typeof SAVED_PLAN_VERSION
  /** ISO 8601, UTC. */
  readonly plannedAt: string
  /** Who asked, as that machine calls them, and the node that would pursue it. */
  readonly by: string
  readonly node: { readonly name: string; readonly peer: string }
  /** Absolute paths of the program files, when it was planned without a daemon. */
  readonly files: readonly string[]
  readonly request: GoalRequest
  /** Paths of secrets that were typed: they are not in here, and who executes it gives them again. */
  readonly withheld?: readonly string[]
  readonly plan: Plan
  /** Of all the rest, so that one who edits it by mistake is told. It is no signature. */
  readonly digest: string
}

/** Written, readable by its owner only, when this returns. Secrets are not in it. */
export async function savePlan(file: string, { io, files }: Invocation, session: Session, request: GoalRequest, plan: Plan): Promise<void> {
  const { name, peer } = await session.agency.call('hello', {}, session.by)
  const withheld = request.assignments.map(({ path }) => path).filter(path => isTypedSecret(path, plan))
  const saved: Omit<SavedPlan, 'digest'> = {
    kind: 'cloudburst-plan',
    version: SAVED_PLAN_VERSION,
    plannedAt: new Date().toISOString(),
    by: io.env['USER'] ?? io.env['LOGNAME'] ?? `uid ${io.uid ?? 'unknown'}`,
    node: { name, peer },
    files: files.map(each => (existsSync(each) ? resolve(each) : each)),
    request: { ...request, assignments: request.assignments.filter(({ path }) => !withheld.includes(path)) },
    ...(withheld.length > 0 && { withheld }),
    plan
  }
  writeFileSync(file, `${JSON.stringify({ ...saved, digest: digestOf(saved) }, null, 2)}\n`, { mode: 0o600 })
}

/** @throws CloudburstError CB_USAGE when there is no such file or it is no plan, CB_PLAN_STALE when it was edited */
export function readPlan(file: string): SavedPlan {
  let found: Partial<SavedPlan> | null
  try {
    found = JSON.parse(readFileSync(file, 'utf8')) as Partial<SavedPlan> | null
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    const why = error instanceof Error ? error.message : String(error)
    const what = missing ? `there is no file ${file}` : `${file} cannot be read as a plan: ${why}`
    throw new CloudburstError('CB_USAGE', `${what}; cloudburst plan GOAL --out ${file} makes one`, { file, command: 'plan' })
  }
  if (found?.kind !== 'cloudburst-plan' || found.version !== SAVED_PLAN_VERSION || found.plan === undefined)
    throw new CloudburstError('CB_USAGE', `${file} is no plan; cloudburst plan GOAL --out ${file} makes one`, { file })
  const { digest, ...rest } = found as SavedPlan
  if (digest !== digestOf(rest))
    throw new CloudburstError('CB_PLAN_STALE', `${file} was edited since the plan was made`, { file, goal: rest.plan.goal })
  return { ...rest, digest }
}

/** The words that make the plan anew, in the same file. Trees and secrets are to be given again by whoever knows them. */
export function wordsToPlanAgain({ files, request, withheld = [] }: SavedPlan, file: string): readonly string[] {
  const { goal, assignments, program, agent, destroy, refresh, target, abreast, probe } = request
  return [
    'plan',
    ...files,
    goal,
    ...assignments.map(({ path, value }) => `${path}=${typeof value === 'string' ? value : ''}`),
    ...withheld.map(path => `${path}=`),
    ...(program === undefined ? [] : ['--program', program]),
    ...(agent === undefined ? [] : ['--agent', agent]),
    ...(destroy === true ? ['--destroy'] : []),
    ...(refresh === true ? ['--refresh'] : []),
    ...(target === undefined ? [] : ['--target', target]),
    ...(abreast === undefined ? [] : ['--parallel', String(abreast)]),
    ...(probe === false ? ['--no-probe'] : []),
    '--out',
    file
  ]
}

function digestOf(saved: Omit<SavedPlan, 'digest'>): string {
  return createHash('sha256').update(JSON.stringify(saved)).digest('hex')
}
