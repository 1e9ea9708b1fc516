/** ConfigUpdater: asks the owner of a path to change it. Source: docs/state.md */
import { CloudburstError } from '../../errors.ts'
import type { Principal } from '../../goals/pursuit/events.ts'
import type { Tree } from '../../goals/tree.ts'
import type { Agency, Calls } from '../agency/calls.ts'

/** Tries of {@link ConfigUpdater.change} when others change the same path at the same time. */
const TRIES_MAX = 8

/** One change: text is converted to the type of the variable, a tree is taken as it is, nothing removes. */
export type Change = Calls['update']['request']['changes'][number]

/** A value and the revision that a change of it must name; 0: it is not there. */
export interface Read {
  readonly value?: Tree
  readonly revision: number
}

/** Changes values below `nodes.<name>.shared` and of agents, at the node that owns them. */
export class ConfigUpdater {
  readonly #agencyOf: (node?: string) => Agency
  readonly #by: Principal

  /** @param agencyOf the agency of a node by its name; of this node without one */
  constructor(agencyOf: (node?: string) => Agency, by: Principal) {
    this.#agencyOf = agencyOf
    this.#by = by
  }

  /** What the owner of a path has there now, not what is known here. */
  async read(path: string): Promise<Read> {
    const { values } = await this.#agencyOf(nodeOf(path)).call('explain', { path }, this.#by)
    const found = values.find(each => each.path === path)
    return found === undefined ? { revision: 0 } : { value: found.value, revision: found.revision }
  }

  /**
   * Makes all changes or none: durable at the owner on return, and on its way to everybody else.
   * @param changes of one node; those with a revision only if their paths are still at it
   * @returns the revision of each path, in their order
   * @throws CloudburstError CB_VALUE_INVALID with what is there now, CB_DENIED, CB_PEER_UNREACHABLE (it may have been made); CB_USAGE for two nodes
   */
  async apply(changes: readonly Change[]): Promise<readonly number[]> {
    const nodes = [...new Set(changes.map(({ path }) => nodeOf(path)))]
    if (nodes.length !== 1)
      throw new CloudburstError('CB_USAGE', `a transaction is about one node, not ${nodes.length}: nobody could make both true or none`)
    const reply = await this.#agencyOf(nodes[0]).call('update', { changes }, this.#by)
    return reply.changes.map(({ revision }) => revision)
  }

  /**
   * Changes a value by what it is now, anew when somebody else was quicker.
   * @param next the new value; undefined removes it
   */
  async change(path: string, next: (now: Tree | undefined) => Tree | undefined): Promise<number> {
    for (let tries = 1; ; tries++) {
      const { value, revision } = await this.read(path)
      const wanted = next(value)
      try {
        const [done = 0] = await this.apply([{ path, revision, ...(wanted !== undefined && { value: wanted }) }])
        return done
      } catch (error) {
        const overtaken = error instanceof CloudburstError && error.code === 'CB_VALUE_INVALID' && error.details['revision'] !== undefined
        if (!overtaken || tries === TRIES_MAX) throw error
      }
    }
  }
}

/** The node that owns a path; undefined for a path of the node that is asked. */
export function nodeOf(path: string): string | undefined {
  return /^nodes\.([^.]+)\../.exec(path)?.[1]
}
