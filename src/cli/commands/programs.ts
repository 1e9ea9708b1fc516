import type { ProgramInfo } from '../../node/control/contract.ts'
import { type Invocation, noWords } from '../arguments.ts'
import { ageOf, showRows, type Table } from '../output.ts'
import { openSession } from '../session.ts'

const table: Table<ProgramInfo> = {
  columns: [
    { title: 'NAME', of: program => program.name },
    { title: 'HASH', of: program => program.hash.slice(0, 12) },
    { title: 'FROM', of: program => (program.shipped ? 'shipped' : 'loaded') },
    { title: 'AGE', of: program => (program.loadedAt === undefined ? undefined : ageOf(program.loadedAt)) },
    { title: 'GOALS', of: program => program.goals.join(' ') },
    { title: 'AGENTS', of: program => program.agents.join(' ') },
    { title: 'WARNINGS', of: program => program.warnings.length, wide: true }
  ],
  name: program => program.name,
  empty: 'no programs; cloudburst load FILE gives one'
}

/** Programs that a node holds. */
export async function run(invocation: Invocation): Promise<number> {
  noWords(invocation)
  const { agency, by } = await openSession(invocation)
  await showRows(invocation, await agency.call('programs', {}, by), table)
  return 0
}
