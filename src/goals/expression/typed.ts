/** Types of variables hold when they are written. */
import { CloudburstError } from '../../errors.ts'
import type { Path } from '../program/model.ts'
import type { Tree } from '../tree.ts'
import { convert } from './convert.ts'
import { showPath } from './path.ts'

/** What is written to a typed variable takes its type, and must fit it. @throws CloudburstError CB_VALUE_INVALID when it does not */
export function keepType(path: Path, before: Tree | undefined, value: Tree): Tree {
  const type = before?.type
  if (type === undefined) return value
  if (value.value === undefined || value.type !== undefined) return value.type === undefined ? { type, ...value } : value
  const result = convert(value.value, type)
  if ('misfit' in result)
    throw new CloudburstError('CB_VALUE_INVALID', `${showPath(path)} is of type ${type}: ${result.misfit}`, { path: showPath(path) })
  return { ...value, type, value: result.value }
}
