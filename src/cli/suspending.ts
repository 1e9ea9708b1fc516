/** The commands suspend and resume: of an agent, by its name, or of one goal, by its id. */
import { CloudburstError } from '../errors.ts'
import { oneLine } from '../goals/render/escape.ts'
import { shellWord } from '../goals/render/words.ts'
import { control, tellInFlight } from './agent-table.ts'
import { type Invocation, onlyWord } from './arguments.ts'
import { showRows } from './output.ts'
import { runTable } from './run-table.ts'
import { openSession, type Session } from './session.ts'

/** What an id of a goal may begin with; an agent may be called so too, and is meant then. */
const MAYBE_ID = /^[0-7][0-9A-HJKMNP-TV-Z]{0,25}$/i
const ID_LENGTH = 26

/** Tells apart what the word means, does it, and shows its row; on stderr which steps still run. */
export async function controlEither(invocation: Invocation, verb: 'suspend' | 'resume'): Promise<number> {
  const word = onlyWord(invocation, 'the name of an agent or the id of a goal')
  const session = await openSession(invocation)
  try {
    if (MAYBE_ID.test(word) && word.length === ID_LENGTH) return await controlGoal(invocation, session, word, verb)
    try {
      return await control(invocation, session, word, verb)
    } catch (error) {
      if (!MAYBE_ID.test(word) || !has(error, 'CB_AGENT_UNKNOWN')) throw error
      return await controlGoal(invocation, session, word, verb).catch(other => {
        throw has(other, 'CB_RUN_UNKNOWN') && !/beginning of/.test(String(other)) ? error : other
      })
    }
  } finally {
    await session.close()
  }
}

async function controlGoal(
  invocation: Invocation,
  { agency, by, suffix }: Session,
  id: string,
  verb: 'suspend' | 'resume'
): Promise<number> {
  const { why } = invocation.options
  const request = { id, ...(why !== undefined && { why }) }
  const info = await agency.call(verb === 'suspend' ? 'suspendgoal' : 'resumegoal', request, by)
  await showRows(invocation, [info], runTable)
  tellInFlight(invocation, info.inFlight)
  if (info.inFlight !== undefined) {
    const cancel = ['cloudburst cancel', oneLine(info.id), ...suffix.map(shellWord)].join(' ')
    invocation.io.stderr.write(`to end it now, and the goal: ${cancel}\n`)
  }
  return 0
}

function has(error: unknown, code: CloudburstError['code']): boolean {
  return error instanceof CloudburstError && error.code === code
}
