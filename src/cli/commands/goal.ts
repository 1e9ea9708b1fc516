import type { RunInfo } from '../../node/control/contract.ts'
import { suspensionReport } from '../../goals/render/report.ts'
import { duration, valueText } from '../../goals/render/words.ts'
import { type Invocation, onlyWord } from '../arguments.ts'
import { colours } from '../io.ts'
import { factLines, formatOf, showOne, tableLines } from '../output.ts'
import { findRun } from '../run-ids.ts'
import { methodLines } from '../method-table.ts'
import { statusOf, waitingFor } from '../run-table.ts'
import { openSession } from '../session.ts'

/** One goal: where it stands, why it waits, what to type. */
export async function run(invocation: Invocation): Promise<number> {
  const prefix = onlyWord(invocation, 'the id of a goal')
  const session = await openSession(invocation)
  try {
    const info = await findRun(session.agency, session.by, prefix)
    const suffix = info.on === undefined || session.suffix.includes('--peer') ? session.suffix : ['--peer', info.on, ...session.suffix]
    await showOne(invocation, info, info.id, () => [
      ...lines(info, suffix, colours(invocation.io.stdout, invocation.io.env)),
      ...(formatOf(invocation) === 'wide' ? wideLines(info) : [])
    ])
    return 0
  } finally {
    await session.close()
  }
}

/** `-o wide`: each variable with who brought it to its state, when and why; each method with its verdict. */
function wideLines({ config = [], methods = [] }: RunInfo): string[] {
  const variables = tableLines(config, [
    { title: 'VARIABLE', of: each => each.path },
    { title: 'TYPE', of: each => each.type },
    { title: 'VALUE', of: each => (each.value === undefined ? undefined : valueText(each.value)) },
    { title: 'STATE', of: each => each.state },
    { title: 'SOURCE', of: each => each.source },
    { title: 'BY', of: each => each.by },
    { title: 'AT', of: each => new Date(each.at).toISOString() },
    { title: 'WHY', of: each => each.why }
  ])
  return [...(config.length === 0 ? [] : ['', ...variables]), ...methodLines(methods)]
}

function lines(info: RunInfo, suffix: readonly string[], colour: boolean): string[] {
  const facts = factLines([
    ['goal', info.goal],
    ['id', info.id],
    ['program', `${info.program.name}@${info.program.hash.slice(0, 12)}`],
    ['agent', info.agent],
    ['on', info.on],
    ['by', info.by.email ?? info.by.node],
    ['for', waitingFor(info)],
    ['begun', new Date(info.createdAt).toISOString()],
    ['status', statusOf(info)],
    ['', info.dispatch?.why],
    ['to rest', info.toRest],
    ...(info.waitsFor ?? []).map((text, at) => [at === 0 ? 'waits for' : '', text] as const),
    [
      'steps',
      `${info.steps.done} done, ${info.steps.failed} failed, ${info.steps.running} running, ${duration(info.updatedAt - info.createdAt)}`
    ],
    ...info.assignments.map(
      ({ path, value }, at) => [at === 0 ? 'given' : '', `${path}=${typeof value === 'string' ? value : valueText(value)}`] as const
    ),
    ...Object.entries(info.results ?? {}).map(
      ([name, value], at) => [at === 0 ? 'results' : '', `goal.${name} = ${valueText(value)}`] as const
    )
  ])
  return info.suspended === undefined ? facts : [...facts, '', ...suspensionReport(info.suspended, { id: info.id, colour, suffix })]
}
