import { capabilities as allCapabilities, type Capability } from './capability.ts'
import { Fields } from './fields.ts'

/** How far a right reaches: what it allows, and on what. A list that is absent means all; several bounds over one right all have to hold. */
export interface Bounds {
  readonly capabilities: readonly Capability[]
  /** Content hashes, or names by which the owner of a node knows a program. */
  readonly programs?: readonly string[]
  readonly goals?: readonly string[]
  /** Variables that may be set: `port` is `goal.port` and what lies below it; `agent.port` is the agent's. */
  readonly vars?: readonly string[]
  /** Nodes where it holds: names, peer ids, or labels such as `role=web,os=linux`. */
  readonly on?: readonly string[]
  /** Most goals that its holder may have open at a node at a time. */
  readonly concurrent?: number
}

/** Most words of one list of bounds. */
export const BOUNDS_WORDS_MAX = 64
/** Longest word of one. */
export const BOUNDS_WORD_CHARS_MAX = 256

/** @throws CloudburstError CB_SIGNATURE_INVALID naming the field */
export function readBounds(value: unknown): Bounds {
  const fields = new Fields(value, 'allows', ['capabilities', 'programs', 'goals', 'vars', 'on', 'concurrent'])
  const words = fields.words('capabilities', BOUNDS_WORDS_MAX, BOUNDS_WORD_CHARS_MAX)
  const known = words.map(word => allCapabilities.find(each => each === word) ?? fields.wrong('capabilities'))
  const list = (name: 'programs' | 'goals' | 'vars' | 'on'): object =>
    fields.has(name) ? { [name]: fields.words(name, BOUNDS_WORDS_MAX, BOUNDS_WORD_CHARS_MAX) } : {}
  return {
    capabilities: known,
    ...list('programs'),
    ...list('goals'),
    ...list('vars'),
    ...list('on'),
    ...(fields.has('concurrent') && { concurrent: fields.count('concurrent') })
  }
}
