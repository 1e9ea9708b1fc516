import type { LocalDriver } from '../drivers/local.ts'
import type { OutputSource } from './feed.ts'

/** What the commands of this node's driver print, for those who follow goals. */
export function outputSource(driver: Pick<LocalDriver, 'readOutput' | 'tailOutput'>): OutputSource {
  return {
    readOutput: driver.readOutput,
    onOutput: (goalId, listener) => driver.tailOutput(goalId, () => listener())
  }
}
