/** `<snapshot>`: a place in the journal of a goal at which others may begin. */
import type { SnapshotStatement } from '../program/model.ts'
import type { Here } from './call.ts'
import { described, type Prepared, type Step } from './step.ts'

/** Has no effect and reads nothing: that it was done is all that it says. */
export function snapshotStep({ scope }: Here, statement: SnapshotStatement, id: string): Step<Prepared> {
  return {
    id,
    kind: 'snapshot',
    statement,
    key: statement.key,
    scope,
    ...described(statement, scope),
    outputs: [],
    prepare: () => ({ show: `snapshot ${statement.name}`, reads: {}, wanted: [], unknown: false, errors: [] }),
    perform: () => Promise.resolve({ status: 'completed', writes: [] })
  }
}
