/**
 * Where the values of sub-goals came from: what a person may want to change instead of the value itself. Kept for goals
 * that are under way only.
 */
import { isDeepStrictEqual } from 'node:util'
import { parsePath, showPath } from '../expression/path.ts'
import { maskSecrets, toPlain } from '../expression/plain.ts'
import type { Tree, Variables } from '../tree.ts'
import { brief } from './brief.ts'
import type { Asked } from './call.ts'
import { qualify } from './freshness.ts'
import type { Frame } from './walk.ts'

interface Origin extends Pick<Asked, 'reads'> {
  readonly caller: Frame
  readonly arguments: Variables
}

export class Origins {
  readonly #byInstance = new Map<string, Origin>()

  /** Sub-goal `instance` is asked for by `caller`, with arguments made of what they read there. */
  note(caller: Frame, instance: string, args: Variables, reads: Asked['reads']): void {
    this.#byInstance.set(instance, { caller, arguments: args, reads })
  }

  /** The goal came to a good end. */
  forget(instance: string): void {
    this.#byInstance.delete(instance)
  }

  /** What the goal was asked for with, by path; empty for the goal that was asked for first. */
  argumentsOf(instance: string): Variables {
    const given = Object.entries(this.#byInstance.get(instance)?.arguments ?? {})
    return brief(Object.fromEntries(given.map(([name, value]) => [`goal.${name}`, maskSecrets(value)])))
  }

  /** The values that `reads` of a goal were made of: its caller's, that one's caller's … the first goal's last. By path, as a person types it. */
  of(instance: string, reads: Variables): Variables {
    const origin = this.#byInstance.get(instance)
    if (origin === undefined) return {}
    const { caller } = origin
    const above: Record<string, Tree> = {}
    for (const [path, value] of Object.entries(reads)) {
      for (const from of sourcesOf(origin, path, value)) {
        const now = caller.scope.read(parsePath(from))
        if (now !== undefined) above[from] = maskSecrets(now)
      }
    }
    return { ...typed(caller.instance, brief(above)), ...this.of(caller.instance, above) }
  }
}

/** Paths of the caller that `goal.NAME` was made of, when it still is what was given. */
function sourcesOf({ arguments: args, reads }: Origin, path: string, value: Tree): readonly string[] {
  const [top, name, ...rest] = parsePath(path)
  const given = typeof name === 'string' ? args[name] : undefined
  if (top !== 'goal' || given === undefined) return []
  if (rest.length === 0 && !isDeepStrictEqual(toPlain(value), toPlain(brief({ given }).given))) return []
  const paths = (reads[String(name)] ?? []).filter(from => from.startsWith('goal.') || from.startsWith('agent.'))
  return paths.length === 1 ? paths.map(from => showPath([...parsePath(from), ...rest])) : paths
}

/** Paths as a person types them in a repair: those of a sub-goal carry its instance. */
export function typed(instance: string, reads: Variables): Variables {
  const root = !/[/>]/.test(instance)
  return Object.fromEntries(Object.entries(reads).map(([path, value]) => [root ? path : qualify(instance, path), value]))
}
