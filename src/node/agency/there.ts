/** What the sub-goals of a plan would meet on the nodes to which they would be sent: asked of each node once a goal. */
import { CloudburstError, toErrorData } from '../../errors.ts'
import type { Plan, PlanNode, There } from '../../goals/plan/plan.ts'
import { goalOfInstance } from '../../goals/pursuit/instance.ts'
import type { Question } from '../dispatch/anticipate.ts'

/** Nodes and goals that one plan asks about: beyond that nothing is said of the others. */
const ASKED_MAX = 50

/** The same plan, with what each node says; as it is when nothing in it is for another node. */
export async function withThere(plan: Plan, ask: (selector: string, question: Question) => Promise<There>): Promise<Plan> {
  const remote = plan.nodes.filter(isRemote)
  if (remote.length === 0) return plan
  const questions = new Map(remote.map(node => [keyOf(node), node]))
  const answers = new Map(
    await Promise.all(
      [...questions].slice(0, ASKED_MAX).map(async ([key, node]): Promise<[string, There]> => {
        const question = { goal: goalOfInstance(node.id), program: plan.program.hash, assignments: [] }
        try {
          return [key, await ask(node.peer, question)]
        } catch (error) {
          return [key, { reachable: false, problem: toErrorData(error).message }]
        }
      })
    )
  )
  const nodes = plan.nodes.map(node => {
    const there = isRemote(node) ? answers.get(keyOf(node)) : undefined
    return there === undefined ? node : { ...node, there }
  })
  return { ...plan, nodes }
}

type RemoteNode = PlanNode & { readonly peer: string }

/** @throws CloudburstError CB_PEER_UNREACHABLE, CB_DENIED when a sub-goal of the plan would not be taken by its node, as things are now */
export function requireThere({ goal, nodes }: Plan): void {
  for (const { there, peer = '' } of nodes) {
    const why = there?.problem === undefined ? '' : `: ${there.problem}`
    if (there?.reachable === false)
      throw new CloudburstError('CB_PEER_UNREACHABLE', `the plan of ${goal} needs ${peer}, which cannot be reached now${why}`, {
        peer,
        goal
      })
    if (there?.permitted === false)
      throw new CloudburstError('CB_DENIED', `the plan of ${goal} needs ${peer}, which does not permit it${why}`, { peer, goal })
  }
}

/** What is done already is asked about no more, nor what is taken back; neither is a node whose name is not known yet. */
function isRemote(node: PlanNode): node is RemoteNode {
  return node.step === 'remote' && node.mark !== '=' && node.mark !== '-' && node.peer !== undefined && !node.peer.includes('${')
}

function keyOf(node: RemoteNode): string {
  return `${node.peer} ${goalOfInstance(node.id)}`
}
