import type { NodeJournal } from '../store/journal.ts'
import { isOver } from '../store/run-index.ts'

/** Waits for the outcome of a goal of this node: a suspended one is waited for too. */
export async function over(journal: Pick<NodeJournal, 'summary' | 'subscribe'>, id: string, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const end = journal.subscribe(id, () => look())
    const stop = (): void => done(() => reject(signal.reason))
    const done = (settle: () => void): void => {
      end()
      signal.removeEventListener('abort', stop)
      settle()
    }
    const look = (): void => {
      journal.summary(id).then(
        summary => {
          if (summary !== undefined && isOver(summary.status)) done(resolve)
        },
        error => done(() => reject(error))
      )
    }
    signal.addEventListener('abort', stop, { once: true })
    look()
  })
}
