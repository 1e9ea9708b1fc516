/**
 * A node of a state tree: a type name and one kind of content. Plain data, so that it goes
 * into journal, frame and JSON as it is. All four contents absent = undefined.
 * Source: docs/language.md, "State".
 */
export interface Tree {
  /** Nominal type, e.g. `EC2Cluster`, `int`. */
  readonly type?: string
  readonly value?: Scalar
  readonly fields?: Readonly<Record<string, Tree>>
  readonly items?: readonly Tree[]
  /** Path of the node that this one refers to, e.g. `SmallCluster`, `agent.key`. */
  readonly ref?: string
  /** A value that is not here: name of an entry in the goal's sealed file, or where to get it. Never the secret itself. */
  readonly sealed?: string
  /** In a plan only: an earlier planned step would write it, so it is not known, which is not the same as undefined. */
  readonly unknown?: true
}

export type Scalar = string | number | boolean

/** What a tree looks like with types and references gone: JSON. `null` is undefined. */
export type Plain = Scalar | null | readonly Plain[] | { readonly [name: string]: Plain }

/** Named trees: the variables of a goal, an agent, a host. */
export type Variables = Readonly<Record<string, Tree>>
