/** Methods with their verdicts, as a table. */
import type { MethodChoice } from '../node/control/contract.ts'
import { tableLines } from './output.ts'

/** A blank line and the table; nothing for no methods. */
export function methodLines(methods: readonly MethodChoice[]): string[] {
  const rows = methods.flatMap(({ instance, candidates }) => candidates.map(each => ({ instance, ...each })))
  if (rows.length === 0) return []
  const table = tableLines(rows, [
    { title: 'GOAL', of: row => row.instance },
    { title: 'METHOD', of: row => row.method },
    { title: 'VERDICT', of: row => row.verdict },
    { title: 'REASON', of: row => row.reason }
  ])
  return ['', ...table]
}
