/**
 * The secrets of a goal that is over are not kept any more. To undo it they are had again: from whoever asks for that, else from
 * where the goal had them, by the defaults of its variables.
 */
import { bind } from '../config/bind.ts'
import { holdsSealed, sealVariables } from '../expression/secrets.ts'
import type { Vault } from '../ports.ts'
import type { GoalProto } from '../program/model.ts'
import type { Tree, Variables } from '../tree.ts'
import { bindingOf } from './call.ts'
import type { Assignment } from './events.ts'
import { failed, type Failure } from './failure.ts'
import { rootInstance } from './instance.ts'
import type { Deeds } from './undo.ts'
import { type Run, settle } from './walk.ts'

/**
 * What was done, with secrets that can be looked up in place of those that cannot.
 * @param given by those who want it undone
 */
export async function withSecrets(
  run: Run,
  proto: GoalProto,
  deeds: Deeds,
  given: readonly Assignment[]
): Promise<{ readonly deeds: Deeds } | { readonly failure: Failure }> {
  const { configured } = deeds
  if (configured === undefined || run.world === undefined) return { deeds }
  const { variables } = configured
  const isGiven = (name: string): boolean => given.some(({ path }) => path === `goal.${name}`)
  const lost: string[] = []
  for (const { name } of proto.parameters) {
    const before = variables[name]
    if (before !== undefined && holdsSealed(before) && (isGiven(name) || !(await canBeHad(run.world.vault, before)))) lost.push(name)
  }
  if (lost.length === 0) return { deeds }
  const kept: Variables = Object.fromEntries(Object.entries(variables).filter(([name]) => !lost.includes(name)))
  const input = { ...bindingOf(run), assignments: given.filter(({ path }) => lost.some(name => path === `goal.${name}`)), arguments: kept }
  const bound = sealVariables((await settle(run, () => bind(run.program, proto, input))).variables, run.seal)
  for (const name of lost) {
    const now = bound[name]
    if (now !== undefined && holdsSealed(now) && (await canBeHad(run.world.vault, now))) continue
    const reason = `the secret goal.${name} is not kept any more, since the goal that is undone is over: set it again`
    const instance = rootInstance(run.goal)
    const help = { instance, instructions: '', values: { [`goal.${name}`]: { type: 'secret' } } }
    return { failure: failed(instance, 'config-incomplete', reason, { final: true, help }).failure }
  }
  const again = Object.fromEntries(lost.map(name => [name, bound[name]!]))
  return { deeds: { ...deeds, configured: { ...configured, variables: { ...variables, ...again } } } }
}

/** Whether every secret in `tree` can be looked up now. */
async function canBeHad(vault: Vault, tree: Tree): Promise<boolean> {
  if (tree.sealed !== undefined) return (await vault.open(tree.sealed)) !== undefined
  for (const part of [...Object.values(tree.fields ?? {}), ...(tree.items ?? [])]) if (!(await canBeHad(vault, part))) return false
  return true
}
