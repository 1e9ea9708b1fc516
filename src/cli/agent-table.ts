/** Agents as a table, and after a change of one. */
import type { AgentInfo } from '../node/control/contract.ts'
import { oneLine } from '../goals/render/escape.ts'
import { shellWord } from '../goals/render/words.ts'
import { type Invocation, onlyWord } from './arguments.ts'
import { ageOf, showRows, type Table } from './output.ts'
import { openSession } from './session.ts'

export const agentTable: Table<AgentInfo> = {
  columns: [
    { title: 'NAME', of: agent => agent.name },
    { title: 'STATUS', of: agent => agent.status },
    { title: 'PROGRAM', of: agent => `${agent.program.name}@${agent.program.hash.slice(0, 8)}` },
    { title: 'AGENT', of: agent => agent.proto },
    { title: 'RUNNING', of: agent => agent.goals.running },
    { title: 'SUSPENDED', of: agent => agent.goals.suspended },
    { title: 'AGE', of: agent => ageOf(agent.startedAt) }
  ],
  name: agent => agent.name,
  empty: 'no agents; cloudburst start PROGRAM starts one'
}

/** The commands suspend, resume and stop: one word, one agent, its row, and on stderr which of its steps still run. */
export async function control(invocation: Invocation, verb: 'suspend' | 'resume' | 'stop'): Promise<number> {
  const agent = onlyWord(invocation, 'the name of an agent')
  const { agency, by, suffix } = await openSession(invocation)
  const { now } = invocation.options
  const info = verb === 'stop' ? await agency.call(verb, { agent, ...(now && { now }) }, by) : await agency.call(verb, { agent }, by)
  await showRows(invocation, [info], agentTable)
  for (const { goal, step } of info.inFlight ?? [])
    invocation.io.stderr.write(`step ${oneLine(step)} of goal ${oneLine(goal)} still runs; the goal rests once it has ended\n`)
  if (info.inFlight !== undefined) {
    const stop = ['cloudburst stop', shellWord(agent), '--now', ...suffix.map(shellWord)].join(' ')
    invocation.io.stderr.write(`to end it now: ${stop}\n`)
  }
  return 0
}
