/** What commands do, so that the product and the oracle meet the same: deterministic, and often the same answer to another question. */
import { createHash } from 'node:crypto'
import { postPath } from './program.ts'

export class Machine {
  /** Files that are there: posts. */
  readonly there = new Set<string>()
  /** Commands, by id, whose answer has changed since. */
  readonly changed = new Map<string, number>()
  /** The command that fails while it is not mended. */
  bad: string | undefined

  run(command: string, level: number): { readonly code: number; readonly stdout: string } {
    const [id = '', first = ''] = command.split(' ')
    if (id === this.bad) return { code: 1, stdout: '' }
    if (id.startsWith('t')) this.there.add(postPath(level, first))
    const digest = createHash('sha256').update(command).digest()
    return { code: 0, stdout: `${id}o${(digest[0] ?? 0) % 3}${'n'.repeat(this.changed.get(id) ?? 0)}` }
  }
}
