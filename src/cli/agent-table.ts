/** Agents as a table, and after a change of one. */
import type { AgentInfo } from '../node/control/contract.ts'
import { oneLine } from '../goals/render/escape.ts'
import { shellWord } from '../goals/render/words.ts'
import type { Invocation } from './arguments.ts'
import { ageOf, showRows, type Table } from './output.ts'
import type { Session } from './session.ts'

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

/** The commands suspend, resume and stop for an agent: its row, and on stderr which of its steps still run. */
export async function control(
  invocation: Invocation,
  { agency, by, suffix }: Session,
  agent: string,
  verb: 'suspend' | 'resume' | 'stop'
): Promise<number> {
  const { now } = invocation.options
  const info = verb === 'stop' ? await agency.call(verb, { agent, ...(now && { now }) }, by) : await agency.call(verb, { agent }, by)
  await showRows(invocation, [info], agentTable)
  tellInFlight(invocation, info.inFlight)
  if (info.stopGoal !== undefined && verb === 'stop') {
    const logs = ['cloudburst logs', oneLine(info.stopGoal), '--follow', ...suffix.map(shellWord)].join(' ')
    const when = info.inFlight === undefined ? 'its program has a goal for that' : 'once they have ended, its program has a goal for that'
    invocation.io.stderr.write(`${when}: ${logs}\n`)
  }
  if (info.inFlight !== undefined) {
    const stop = ['cloudburst stop', shellWord(agent), '--now', ...suffix.map(shellWord)].join(' ')
    invocation.io.stderr.write(`to end it now: ${stop}\n`)
  }
  return 0
}

/** Which steps run although their goals were asked to rest. */
export function tellInFlight({ io }: Invocation, inFlight: AgentInfo['inFlight'] = []): void {
  for (const { goal, step } of inFlight)
    io.stderr.write(`step ${oneLine(step)} of goal ${oneLine(goal)} still runs; the goal rests once it has ended\n`)
}
