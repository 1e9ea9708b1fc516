import type { Plan } from '../node/control/contract.ts'
import { consequences, undoConsequences } from '../goals/render/consequences.ts'
import type { Invocation } from './arguments.ts'
import { colours } from './io.ts'

/** The lines about a preview, coloured for this terminal. */
export function shownConsequences({ io }: Invocation, preview: Plan): string[] {
  return consequences(preview, { colour: colours(io.stdout, io.env) })
}

/** The lines about what giving a goal up would undo. */
export function shownUndoing({ io }: Invocation, preview: Plan): string[] {
  return undoConsequences(preview, { colour: colours(io.stdout, io.env) })
}
