/** How much of each output of a mirrored goal is here: what its dispatcher tells the executor when it comes back. */
import { stat } from 'node:fs/promises'
import type { OutputHead } from '../../protocols/dispatch/messages.ts'
import { outputFile } from '../drivers/output.ts'
import type { NodeJournal } from '../store/journal.ts'

/** Only the latest steps are asked for again: what printed long ago has long been sent. */
const STEPS_MAX = 200

export async function outputHeads(state: string, journal: Pick<NodeJournal, 'read'>, goalId: string): Promise<readonly OutputHead[]> {
  const began = (await journal.read(goalId)).flatMap(({ body }) => (body.type === 'step-began' && body.kind === 'send' ? [body] : []))
  const heads = began.slice(-STEPS_MAX).flatMap(({ step, attempt }) =>
    (['stdout', 'stderr'] as const).map(async stream => {
      const bytes = await stat(outputFile(state, { goalId, step, attempt }, stream)).then(
        ({ size }) => size,
        () => 0
      )
      return { step, attempt, stream, bytes }
    })
  )
  return await Promise.all(heads)
}
