import { CloudburstError } from '../../errors.ts'
import type { Invocation } from '../arguments.ts'
import { anticipationTable, notAsPlanned } from '../anticipation-table.ts'
import { acceptWithin, followDispatched, tellOutcomes, unfollowed } from '../dispatching.ts'
import { somePeers, turns } from '../several.ts'
import { goalRequest } from '../goal-request.ts'
import { print } from '../io.ts'
import { isForPrograms, showRows } from '../output.ts'
import { daemonOf, homeWords, sessionWith } from '../session.ts'
import { promptFor } from '../step-option.ts'

/** Sends a goal to other nodes, and the program with it where it is not known; follows it there. */
export async function run(invocation: Invocation): Promise<number> {
  const [file, another] = invocation.files
  if (another !== undefined)
    throw new CloudburstError('CB_USAGE', 'dispatch takes one program file; it may include others', { command: 'dispatch' })
  const peers = somePeers(invocation)
  const taking = turns(invocation)
  const prompt = await promptFor(invocation)
  const client = daemonOf(invocation)
  const { agency, by } = sessionWith(client, undefined, homeWords(invocation))
  const withProgram = file === undefined ? invocation : { ...invocation, options: { ...invocation.options, program: file } }
  const request = await goalRequest(withProgram, agency, by)
  if (invocation.options.plan) {
    const anticipated = await client.local('anticipate', { ...request, peers })
    await showRows(invocation, anticipated, anticipationTable)
    return notAsPlanned(anticipated)
  }
  const sent = await client.local('dispatch', { ...request, peers, ...taking, ...acceptWithin(invocation) })
  const later = taking.wait === true || taking.parallel !== undefined
  if (invocation.options.detach) return await tellOutcomes(invocation, unfollowed(sent, later ? 'queued' : 'dispatched'))
  const outcomes = await followDispatched(invocation, client, sent, prompt)
  prompt?.close()
  if (!isForPrograms(invocation)) print(invocation.io.stdout, [''])
  return await tellOutcomes(invocation, outcomes)
}
