import { CloudburstError } from '../../errors.ts'
import { type Invocation, onlyWord, peersOf } from '../arguments.ts'
import { pursueAs, pursueRequest } from '../pursuing.ts'
import { readPlan, type SavedPlan, wordsToPlanAgain } from '../saved-plan.ts'
import { homeWords, type Session } from '../session.ts'

/** Makes a goal true as planned: no alternatives, no questions. */
export async function run(invocation: Invocation): Promise<number> {
  const [word = ''] = invocation.words
  return word.endsWith('.json') ? await executePlan(invocation) : await pursueAs(invocation, 'execute')
}

/** Does what a saved plan says, unless anything that it rests on has moved since. */
async function executePlan(invocation: Invocation): Promise<number> {
  const file = onlyWord(invocation, 'a saved plan')
  if (invocation.assignments.length > 0 || invocation.files.length > 0)
    throw new CloudburstError('CB_USAGE', `${file} has its program and its values: they cannot be given again`, { command: 'execute' })
  const saved = readPlan(file)
  invocation.io.stderr.write(`plan of ${saved.plan.goal}, made by ${saved.by} on ${saved.node.name} at ${saved.plannedAt}\n`)
  const request = { ...saved.request, planned: saved.plan.basis }
  try {
    return await pursueRequest({ ...invocation, files: saved.files }, 'execute', async session => {
      await sameNode(session, saved, ['execute', file, ...homeWords(invocation)])
      return request
    })
  } catch (error) {
    if (!(error instanceof CloudburstError) || error.code !== 'CB_PLAN_STALE' || 'again' in error.details) throw error
    const peers = peersOf(invocation.options).flatMap(peer => ['--peer', peer])
    const again = [...wordsToPlanAgain(saved, file), ...peers, ...homeWords(invocation)]
    throw new CloudburstError(error.code, error.message, { ...error.details, by: saved.by, plannedAt: saved.plannedAt, again }, error.cause)
  }
}

/**
 * @param words of the command, without a peer
 * @throws CloudburstError CB_PLAN_STALE when another node would pursue than the one that planned
 */
async function sameNode({ agency, by, solo }: Session, { node, plan }: SavedPlan, words: readonly string[]): Promise<void> {
  if (solo) return
  const { name, peer } = await agency.call('hello', {}, by)
  if (peer === node.peer) return
  const again = [...words, '--peer', node.name]
  const what = `${words[1]} was planned on ${node.name}, not on ${name}; add --peer ${node.name}`
  throw new CloudburstError('CB_PLAN_STALE', what, { goal: plan.goal, again })
}
