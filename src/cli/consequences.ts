import type { Plan } from '../node/control/contract.ts'
import { consequences } from '../goals/render/consequences.ts'
import type { Invocation } from './arguments.ts'
import { colours } from './io.ts'

/** The lines about a preview, coloured for this terminal. */
export function shownConsequences({ io }: Invocation, preview: Plan): string[] {
  return consequences(preview, { colour: colours(io.stdout, io.env) })
}
