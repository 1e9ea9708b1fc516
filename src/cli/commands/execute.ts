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
  const saved = readPlan(file)
  const secrets = secretsFor(invocation, saved, file)
  invocation.io.stderr.write(`plan of ${saved.plan.goal}, made by ${saved.by} on ${saved.node.name} at ${saved.plannedAt}\n`)
  const assignments = [...saved.request.assignments, ...secrets]
  const request = { ...saved.request, assignments, planned: saved.plan.basis }
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
 * The secrets that the plan does not hold; nothing else can be given.
 * @throws CloudburstError CB_USAGE, CB_CONFIG_INCOMPLETE
 */
function secretsFor(invocation: Invocation, { withheld = [], plan }: SavedPlan, file: string): Invocation['assignments'] {
  const { assignments, files } = invocation
  if (files.length > 0 || assignments.some(({ path }) => !withheld.includes(path)))
    throw new CloudburstError('CB_USAGE', `${file} has its program and its values: they cannot be given again`, { command: 'execute' })
  const missing = withheld.filter(path => assignments.every(each => each.path !== path))
  if (missing.length === 0) return assignments
  const again = ['execute', file, ...withheld.map(path => `${path}=`), ...homeWords(invocation)]
  const what = `${missing.join(', ')} ${missing.length > 1 ? 'are secrets, which are' : 'is a secret, which is'} not in ${file}: to be given again`
  throw new CloudburstError('CB_CONFIG_INCOMPLETE', what, { goal: plan.goal, again })
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
