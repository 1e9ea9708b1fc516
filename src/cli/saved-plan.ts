/** Plans as files: what a plan command saw, kept for a look, a drawing, a comparison or its execution. */
import { readFileSync, writeFileSync } from 'node:fs'
import { CloudburstError } from '../errors.ts'
import type { Plan } from '../node/control/contract.ts'

/** @throws CloudburstError CB_USAGE when there is no such file or it is no plan of this version */
export function readPlan(file: string): Plan {
  let saved: unknown
  try {
    saved = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new CloudburstError('CB_USAGE', `${file} cannot be read as a plan: ${error instanceof Error ? error.message : String(error)}`, {
      file
    })
  }
  const { version, goal, nodes } = (saved ?? {}) as Partial<Plan>
  if (version !== 1 || typeof goal !== 'string' || !Array.isArray(nodes))
    throw new CloudburstError('CB_USAGE', `${file} is no plan; cloudburst plan GOAL --out ${file} makes one`, { file })
  return saved as Plan
}

/** Written when this returns; secrets are masked in it as in what is printed. */
export function savePlan(file: string, plan: Plan): void {
  writeFileSync(file, `${JSON.stringify(plan, null, 2)}\n`, { mode: 0o600 })
}
