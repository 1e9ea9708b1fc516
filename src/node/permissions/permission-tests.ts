/** The `<tests>` of permissions.xml: what a person wants to be so whatever is changed. Checked whenever the file is read. Pure. */
import type { Bounds } from '../../crypto/bounds.ts'
import { covers } from './covers.ts'
import type { PermissionList, PermissionTest } from './decide.ts'

/**
 * The first test that does not hold, if any. Times and grants are left out: `allow` asks whether a permit for that e-mail or key
 * says so, `deny` whether anything in the file could ever, be it by a grant under the ceiling of an authority.
 */
export function failedTest(list: PermissionList): { readonly test: PermissionTest; readonly reason: string } | undefined {
  for (const test of list.tests ?? []) {
    const reason = failure(list, test)
    if (reason !== undefined) return { test, reason }
  }
  return undefined
}

function failure({ permits, authorities }: PermissionList, test: PermissionTest): string | undefined {
  const { who, capability } = test
  const says = (bounds: Bounds): boolean => bounds.capabilities.includes(capability) && reaches(bounds, test)
  const permit = permits.find(each => (who === '*' || each.email === who || each.peer === who) && says(each))
  if (test.allowed) return permit === undefined ? `no permit allows ${who} ${capability}${about(test)}` : undefined
  if (permit !== undefined) return `the permit in line ${permit.place.line} allows ${permit.email} ${capability}${about(test)}`
  const authority = authorities.find(({ ceiling }) => ceiling !== undefined && says(ceiling))
  return authority === undefined ? undefined : `${authority.name} may grant ${capability}${about(test)} to anybody`
}

/** A test that names no program is about any: what would reach only some of them counts as allowed. */
function reaches({ programs, goals, vars, concurrent: _, on: __, ...bounds }: Bounds, { capability, what }: PermissionTest): boolean {
  const named: Bounds = {
    ...bounds,
    ...(what.program !== undefined && programs !== undefined && { programs }),
    ...(what.goal !== undefined && goals !== undefined && { goals }),
    ...(what.vars !== undefined && vars !== undefined && { vars })
  }
  return covers(named, capability, what, undefined)
}

function about({ what: { program, goal } }: PermissionTest): string {
  const parts = [program === undefined ? [] : [`of program ${program}`], goal === undefined ? [] : [`for goal ${goal}`]].flat()
  return parts.length === 0 ? '' : ` ${parts.join(' ')}`
}
