/** What may be written at a path of a goal or an agent: its declared type, or why there is no such path. */
import { isScalarType } from '../expression/convert.ts'
import { showPath } from '../expression/path.ts'
import { didYouMean } from '../program/did-you-mean.ts'
import type { Declaration, Path, Place, Program } from '../program/model.ts'

/** A place for a value. */
export interface Shape {
  readonly kind: 'variable' | 'struct' | 'list' | 'any'
  readonly type?: string
  readonly place: Place
}

/** A path that leads nowhere, in words, with a suggestion. */
export interface NoShape {
  readonly fault: string
  readonly place: Place
}

/** The place that `path` names, seen from `declarations` (parameters of a goal, variables of an agent) that stand at `place`. */
export function shapeAt(program: Program, declarations: readonly Declaration[], path: Path, place: Place): Shape | NoShape {
  const [top, name, ...rest] = path
  const found = declarations.find(declaration => declaration.name === name)
  if (found === undefined) {
    const names = declarations.map(declaration => `${top}.${declaration.name}`)
    const wrong = showPath(path.slice(0, 2))
    const known = names.length === 0 ? 'it has no variables' : `it has ${names.join(', ')}`
    return { fault: `there is no ${wrong}${didYouMean(wrong, names) || `: ${known}`}`, place }
  }
  return inside(program, found, rest, path.slice(0, 2))
}

function inside(program: Program, declaration: Declaration, rest: Path, before: Path): Shape | NoShape {
  const { kind, type, place } = declaration
  const [part, ...more] = rest
  if (part === undefined) return { kind, ...(type === undefined ? {} : { type }), place }
  const here = showPath(before)
  if (kind === 'variable' && isScalarType(type)) return { fault: `${here} is a ${type} and has nothing inside`, place }
  if (typeof part === 'number') {
    const element = declaration.members[part]
    return element === undefined ? { kind: 'any', place } : inside(program, element, more, [...before, part])
  }
  const definition = type === undefined ? undefined : program.types.get(type)
  const members = [...(kind === 'struct' ? declaration.members : []), ...(definition?.members ?? [])]
  const member = members.find(each => each.name === part)
  if (member !== undefined) return inside(program, member, more, [...before, part])
  // of a type that nobody defined anything may be a field
  if (definition === undefined && (type !== undefined || kind === 'variable')) return { kind: 'any', place }
  const names = members.map(each => `${here}.${each.name}`)
  return { fault: `${here} has no field ${part}${didYouMean(`${here}.${part}`, names)}`, place }
}
