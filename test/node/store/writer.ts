/** Appends to a journal until it is killed; each line it prints was acknowledged. `writer DIRECTORY` */
import { openJournal } from '../../../src/node/store/journal.ts'
import { openStore } from '../../../src/node/store/store.ts'
import { proposed, started } from '../../compliance/journal.ts'
import { quiet } from './quiet.ts'

const store = await openStore(process.argv[2]!, { log: quiet })
const journal = await openJournal(store, { now: Date.now })
const write = async (goalId: string): Promise<void> => {
  if (journal.runs().every(run => run.id !== goalId)) await journal.append(goalId, proposed)
  for (let stretch = 1; ; stretch++) {
    const { seq } = await journal.append(goalId, started(stretch))
    process.stdout.write(`${goalId} ${seq}\n`)
  }
}
await Promise.all(['g1', 'g2', 'g3', 'g4'].map(write))
