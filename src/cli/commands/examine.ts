import type { AgentDetail } from '../../node/control/contract.ts'
import { valueText } from '../../goals/render/words.ts'
import { agentTable } from '../agent-table.ts'
import { type Invocation, onlyWord } from '../arguments.ts'
import { methodLines } from '../method-table.ts'
import { showOne, tableLines } from '../output.ts'
import { runTable } from '../run-table.ts'
import { openSession } from '../session.ts'

/** An agent, with its variables and goals. */
export async function run(invocation: Invocation): Promise<number> {
  const name = onlyWord(invocation, 'the name of an agent')
  const { agency, by } = await openSession(invocation)
  const agent = await agency.call('examine', { agent: name }, by)
  await showOne(invocation, agent, agent.name, () => lines(agent))
  return 0
}

function lines(agent: AgentDetail): string[] {
  const variables = Object.entries(agent.variables)
  const shown = tableLines(variables, [
    { title: 'VARIABLE', of: ([name]) => `agent.${name}` },
    { title: 'TYPE', of: ([, value]) => value.type },
    { title: 'VALUE', of: ([, value]) => valueText(value, 100) }
  ])
  return [
    ...tableLines([agent], agentTable.columns),
    ...(variables.length === 0 ? [] : ['', ...shown]),
    ...(agent.runs.length === 0
      ? []
      : [
          '',
          ...tableLines(
            agent.runs,
            runTable.columns.filter(column => !column.wide)
          ),
          ...methodLines(agent.runs.flatMap(run => run.methods ?? []))
        ])
  ]
}
