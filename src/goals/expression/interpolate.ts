/** Templates → text for one use. */
import type { Template } from '../program/model.ts'
import { evaluatePart } from './evaluate.ts'
import { paste } from './paste.ts'
import type { Interpolated, Scope, Use } from './result.ts'
import { newTrace } from './trace.ts'

/**
 * `template` with its values in place. Never throws for anything that the program or a value does:
 * `errors` says what may not be pasted, and where.
 */
export function interpolate(template: Template, scope: Scope, use: Use): Interpolated {
  const { secret: _, ...interpolated } = paste(template, newTrace(scope, evaluatePart), use)
  return interpolated
}
