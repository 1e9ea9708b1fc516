/** Secrets in what is sent to other nodes: sealed where the order is written down, in clear only on the encrypted connection. */
import type { Vault } from '../../goals/ports.ts'
import type { DispatchParts } from './dispatches.ts'
import type { Programs } from '../programs/programs.ts'
import { revealAssignments, sealAssignments } from '../secrets/sealing.ts'

export function dispatchSecrets(vault: Vault, programs: Pick<Programs, 'find'>): NonNullable<DispatchParts['secrets']> {
  return {
    seal: async (id, { program, goal, assignments }) => {
      const found = await programs.find(program.hash)
      const agent = [...found.agents.values()].find(each => each.goals.has(goal))
      const proto = found.goals.get(goal) ?? agent?.goals.get(goal)
      return sealAssignments(vault, id, found, { ...(proto && { proto }), ...(agent && { agent }) }, assignments, 'own')
    },
    reveal: assignments => revealAssignments(vault, assignments),
    drop: id => vault.drop(id)
  }
}
