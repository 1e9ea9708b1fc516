/** Whether bounds reach what a request is about. Exact words only: no rule hides another one. */
import type { Bounds } from '../../crypto/bounds.ts'
import type { Capability } from '../../crypto/capability.ts'

/** What a request is about, as far as it names it. */
export interface Subject {
  /** Content hash, or the name while nothing of that name is held. */
  readonly program?: string
  /** The name under which the owner of this node knows that program: never one that only a peer has given it. */
  readonly programName?: string
  readonly goal?: string
  /** Paths that it sets: `goal.port`, `agent.port`. */
  readonly vars?: readonly string[]
  /** Goals that whoever asks has open here, this one not counted. */
  readonly open?: number
}

/** The node that decides. */
export interface Here {
  readonly peer: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** Capabilities that act on a program: a permit for some programs does not allow them while the program is not named. */
const ON_PROGRAMS: ReadonlySet<Capability> = new Set(['program:load', 'agent:start', 'goal:plan', 'goal:dispatch', 'goal:repair'])
const ON_GOALS: ReadonlySet<Capability> = new Set(['goal:plan', 'goal:dispatch', 'goal:repair'])
const ON_VARIABLES: ReadonlySet<Capability> = new Set([...ON_GOALS, 'agent:start'])

/** Whether `bounds`, which have the capability, reach `what` at this node. */
export function covers(bounds: Bounds, capability: Capability, what: Subject, here: Here | undefined): boolean {
  const program = [what.program, what.programName].filter(each => each !== undefined)
  return (
    within(bounds.programs, program, ON_PROGRAMS.has(capability)) &&
    within(bounds.goals, what.goal === undefined ? [] : [what.goal], ON_GOALS.has(capability)) &&
    withinAll(bounds.vars, what.vars, ON_VARIABLES.has(capability)) &&
    (bounds.on === undefined || (here !== undefined && bounds.on.some(word => isHere(word, here)))) &&
    (bounds.concurrent === undefined || capability !== 'goal:dispatch' || (what.open ?? 0) < bounds.concurrent)
  )
}

/** What was asked, in words. */
export function show(what: Subject, here?: Here): string {
  const named = [
    what.program === undefined ? undefined : `program ${what.programName ?? what.program}`,
    what.goal === undefined ? undefined : `goal ${what.goal}`,
    what.vars === undefined || what.vars.length === 0 ? undefined : `variables ${what.vars.join(', ')}`,
    what.open === undefined || what.open === 0 ? undefined : `${what.open} open goals`
  ].filter(part => part !== undefined)
  const about = named.length === 0 ? 'a request that names no program' : named.join(', ')
  return here === undefined ? about : `${about} on ${here.name}`
}

/** Whether a word for a node means this one: its name, its peer id, or labels that it has all. */
export function isHere(word: string, { peer, name, labels }: Here): boolean {
  if (!word.includes('=')) return word === name || word === peer
  return word.split(',').every(pair => {
    const at = pair.indexOf('=')
    return at > 0 && Object.hasOwn(labels, pair.slice(0, at)) && labels[pair.slice(0, at)] === pair.slice(at + 1)
  })
}

function within(allowed: readonly string[] | undefined, asked: readonly string[], needed: boolean): boolean {
  if (allowed === undefined) return true
  return asked.length === 0 ? !needed : asked.some(word => allowed.includes(word))
}

/** Bounds on some variables do not allow what sets variables while it is not said which. */
function withinAll(allowed: readonly string[] | undefined, asked: readonly string[] | undefined, needed: boolean): boolean {
  if (allowed === undefined) return true
  return asked === undefined ? !needed : asked.every(path => allowed.some(name => isBelow(plain(path), plain(name))))
}

function plain(path: string): string {
  return path.startsWith('goal.') ? path.slice('goal.'.length) : path
}

function isBelow(path: string, name: string): boolean {
  return path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`)
}
