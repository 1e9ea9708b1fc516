/** class Config: what became of each variable of a goal's configuration. A pure fold over the goal's events. */
import { isDefined, maskSecrets } from '../expression/plain.ts'
import type { GoalEvent, GoalEventBody, Principal } from '../pursuit/events.ts'
import type { Tree } from '../tree.ts'

/**
 * initial: declared, nothing is known · partial: given, or given in part, and not checked · proposed: a suggestion was taken ·
 * corrected: a person changed it in a repair · validated: the configuration was complete and fits · completed: the goal is achieved
 */
export type ConfigState = 'initial' | 'partial' | 'proposed' | 'corrected' | 'validated' | 'completed'

/** One change of one variable. */
export interface ConfigStep {
  readonly state: ConfigState
  /** Epoch milliseconds. */
  readonly at: number
  /** E-mail, or name of the node, of who brought it about; absent when the program did. */
  readonly by?: string
  readonly why?: string
}

export interface ConfigVariable extends ConfigStep {
  /** `goal.site`, `goal.site.port`, `site>user:goal.name`. */
  readonly path: string
  readonly type?: string
  /** Secrets masked; absent = undefined. */
  readonly value?: Tree
  /** `default, f.xml:3`, `command line`, `state, clusters.xml:12`. */
  readonly source?: string
  /** Oldest first, the present state last. */
  readonly history: readonly ConfigStep[]
}

type Body<T extends GoalEventBody['type']> = Extract<GoalEventBody, { type: T }>

/** The configuration of one goal, as its events tell it. */
export class Config {
  readonly #variables = new Map<string, ConfigVariable>()
  #by: Principal | undefined

  /** Folds the events of one goal, oldest first. */
  static of(events: Iterable<GoalEvent>): Config {
    const config = new Config()
    for (const event of events) config.advance(event)
    return config
  }

  /** Every variable, in the order in which it was first heard of. */
  get variables(): readonly ConfigVariable[] {
    return [...this.#variables.values()]
  }

  /** Takes in one more event. */
  advance({ at, body }: GoalEvent): void {
    if (body.type === 'proposed') this.#proposed(body, at)
    else if (body.type === 'configured') this.#configured(body, at)
    else if (body.type === 'repaired') this.#repaired(body, at)
    else if (body.type === 'completed') this.#completed(body, at)
  }

  #proposed({ by, assignments }: Body<'proposed'>, at: number): void {
    this.#by = by
    for (const { path, value, source } of assignments) {
      const tree: Tree = typeof value === 'string' ? { value } : value
      this.#set(path, tree, { state: source === undefined ? 'partial' : 'proposed', at, by: nameOf(by) }, source ?? 'command line')
    }
  }

  #configured({ variables, sources }: Body<'configured'>, at: number): void {
    for (const [path, { state }] of this.#variables)
      if (state !== 'corrected' && path.startsWith('goal.')) this.#step(path, { state: 'validated', at })
    for (const [name, tree] of Object.entries(variables)) {
      const path = `goal.${name}`
      const source = sources[path]
      const given = source === 'command line' && this.#by !== undefined ? { by: nameOf(this.#by) } : {}
      const corrected = this.#variables.get(path)?.state === 'corrected'
      this.#set(path, tree, { state: corrected ? 'corrected' : stateOf(tree), at, ...given }, source)
    }
  }

  #repaired({ by, assignments, why }: Body<'repaired'>, at: number): void {
    for (const { path, value } of assignments) {
      const tree: Tree = typeof value === 'string' ? { value } : value
      this.#set(path, tree, { state: 'corrected', at, by: nameOf(by), ...(why !== undefined && { why }) }, 'repair')
    }
  }

  #completed({ results }: Body<'completed'>, at: number): void {
    for (const [name, tree] of Object.entries(results)) {
      const before = this.#variables.get(`goal.${name}`)
      if (before !== undefined)
        this.#set(before.path, tree, { state: isDefined(tree) === 'true' ? 'completed' : 'initial', at }, before.source)
    }
    for (const [path, { state }] of this.#variables)
      if (state === 'corrected' || state === 'validated') this.#step(path, { state: 'completed', at })
  }

  #set(path: string, given: Tree, step: ConfigStep, source: string | undefined): void {
    const { type, ...value } = maskSecrets(given)
    const known = this.#variables.get(path)
    this.#variables.set(path, {
      ...step,
      path,
      ...((type ?? known?.type) !== undefined && { type: type ?? known!.type! }),
      ...(isDefined(given) !== 'false' && { value: { ...value, ...(type !== undefined && { type }) } }),
      ...(source !== undefined && { source }),
      history: known?.state === step.state && step.state !== 'corrected' ? known.history : [...(known?.history ?? []), step]
    })
  }

  #step(path: string, step: ConfigStep): void {
    const known = this.#variables.get(path)
    if (known !== undefined) this.#variables.set(path, { ...known, ...step, history: [...known.history, step] })
  }
}

/** The state of a value whose configuration was complete: a struct with fields that are still undefined is only partly known. */
export function stateOf(tree: Tree): ConfigState {
  if (isDefined(tree) === 'false') return 'initial'
  return Object.values(tree.fields ?? {}).some(field => isDefined(field) === 'false') ? 'partial' : 'validated'
}

function nameOf(by: Principal): string {
  return by.email ?? by.node
}
