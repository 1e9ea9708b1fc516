import type { Check } from '../../node/control/contract.ts'
import { type Invocation, noWords } from '../arguments.ts'
import { showRows, type Table } from '../output.ts'
import { daemonOf } from '../session.ts'

const table: Table<Check> = {
  columns: [
    { title: 'CHECK', of: ({ name }) => name },
    { title: 'IS', of: ({ verdict }) => verdict },
    { title: 'SAYS', of: ({ say }) => say },
    { title: 'NEXT', of: ({ next }) => next }
  ],
  name: ({ name }) => name,
  empty: 'nothing was checked'
}

/** What is wrong with this node, or soon will be, and what to type about it. Exit status 1 when anything does not work. */
export async function run(invocation: Invocation): Promise<number> {
  noWords(invocation)
  const checks = await daemonOf(invocation).local('doctor', {})
  await showRows(invocation, checks, table)
  return checks.some(({ verdict }) => verdict === 'fail') ? 1 : 0
}
