import type { GoalInfo } from '../../node/control/contract.ts'
import { type Invocation, noWords } from '../arguments.ts'
import { localeOf } from '../goal-request.ts'
import { showRows, type Table } from '../output.ts'
import { openSession } from '../session.ts'

const table: Table<GoalInfo> = {
  columns: [
    { title: 'GOAL', of: info => info.goal },
    { title: 'AGENT', of: info => info.agent },
    { title: 'PROGRAM', of: info => info.program },
    {
      title: 'PARAMETERS',
      of: info =>
        info.parameters.map(({ name, type, required }) => `${name}${type === undefined ? '' : `:${type}`}${required ? '*' : ''}`).join(' ')
    },
    { title: 'DESCRIPTION', of: info => info.describe },
    { title: 'METHODS', of: info => info.methods.join(' '), wide: true },
    { title: 'DOCS', of: info => info.docs.join(' '), wide: true }
  ],
  name: info => info.goal,
  empty: 'no goals; cloudburst load FILE gives some'
}

/** Goal prototypes of the files named or of a node's programs; a parameter with `*` must be given. */
export async function run(invocation: Invocation): Promise<number> {
  noWords({ ...invocation, files: [] })
  const session = await openSession(invocation)
  try {
    const { program } = invocation.options
    const locale = localeOf(invocation.io.env)
    const request = { ...(program === undefined ? {} : { program }), ...(locale === undefined ? {} : { locale }) }
    const goals = await session.agency.call('list', request, session.by)
    await showRows(invocation, goals, table)
    return 0
  } finally {
    await session.close()
  }
}
