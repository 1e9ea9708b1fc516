import type { GoalInfo } from '../../node/control/contract.ts'
import { type Invocation, noWords } from '../arguments.ts'
import { escapeTerminal } from '../../goals/render/escape.ts'
import { daemonless } from '../daemonless.ts'
import { localeOf } from '../goal-request.ts'
import { showRows, type Table } from '../output.ts'

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
  const { files, options, io } = invocation
  const locale = localeOf(io.env)
  const plain = options.program === undefined && options.verbose === undefined && options.peer === undefined
  const goals = files.length > 0 && plain ? await ofFiles(invocation, locale) : await ofSession(invocation, locale)
  await showRows(invocation, goals, table)
  return 0
}

/** Without an agency: programs that are only looked at. */
async function ofFiles({ files, options, io }: Invocation, locale: string | undefined): Promise<readonly GoalInfo[]> {
  const { listed } = await daemonless()
  const { rows, warnings } = await listed(files, io, { strict: options.strict === true, ...(locale !== undefined && { locale }) })
  for (const warning of warnings) io.stderr.write(`warning: ${escapeTerminal(warning)}\n`)
  return rows
}

async function ofSession(invocation: Invocation, locale: string | undefined): Promise<readonly GoalInfo[]> {
  const { openSession } = await import('../session.ts')
  const session = await openSession(invocation)
  try {
    const { program } = invocation.options
    const request = { ...(program === undefined ? {} : { program }), ...(locale === undefined ? {} : { locale }) }
    return await session.agency.call('list', request, session.by)
  } finally {
    await session.close()
  }
}
