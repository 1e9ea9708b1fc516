/** The form of the rows of elements.ts. */

/**
 * What an element can be, and so what others may hold. `copy` is a bare `<get>` in a struct or list; `narration` is for people;
 * names of single elements (`in`, `send`, …) stand for themselves.
 */
export type Role =
  | 'definition'
  | 'declaration'
  | 'copy'
  | 'goal'
  | 'method'
  | 'narration'
  | 'describe'
  | 'condition'
  | 'post'
  | 'statement'
  | 'expression'
  | (string & {})

/** One element of the language. */
export interface ElementSpec {
  /** The roles in which it may stand; none for a root. */
  readonly as: readonly Role[]
  /** One line for people, Markdown. */
  readonly meaning: string
  /** Roles of its children; absent: it has none. */
  readonly holds?: readonly Role[]
  /** `path`: its text is a path; `text`: plain; `mixed`: text among its children; absent: no text. */
  readonly text?: 'path' | 'text' | 'mixed'
  /** A sub-goal written as `<g>` may stand here too. Where statements stand it always may. */
  readonly goals?: true
  readonly attributes?: Readonly<Record<string, AttributeSpec>>
  /** It is an older spelling of this. */
  readonly olderFor?: string
}

/** One attribute of an element. */
export interface AttributeSpec {
  /** A list is the words it may be; `name` can be part of a path; `template` may hold `${path}`; `flag` is true or false. */
  readonly type: 'text' | 'name' | 'template' | 'flag' | 'count' | 'integer' | 'seconds' | readonly string[]
  readonly required?: true
  /** What holds when it is absent, if anything does. */
  readonly default?: string
  /** One line for people, Markdown. */
  readonly meaning: string
  /** Accepted for older programs only. */
  readonly older?: true
}
