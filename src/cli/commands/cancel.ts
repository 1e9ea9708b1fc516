import { type Invocation, onlyWord } from '../arguments.ts'
import { cancelGoal } from '../cancelling.ts'
import { openSession } from '../session.ts'

/** Gives up a goal; what its methods can undo is shown, and undone first. */
export async function run(invocation: Invocation): Promise<number> {
  const prefix = onlyWord(invocation, 'the id of a goal')
  const session = await openSession(invocation)
  try {
    return await cancelGoal(invocation, session, prefix)
  } finally {
    await session.close()
  }
}
