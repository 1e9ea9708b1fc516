/** `--step`: a goal that waits before each step, and a person at a terminal who decides. Leaving loses nothing: it goes on waiting. */
import { setTimeout as pause } from 'node:timers/promises'
import type { RepairRequest, RunInfo } from '../node/control/contract.ts'
import { CloudburstError, type ErrorCode } from '../errors.ts'
import { escapeTerminal } from '../goals/render/escape.ts'
import { shellWord } from '../goals/render/words.ts'
import { type Invocation, readAssignment } from './arguments.ts'
import { type Followed, followGoals, type Rest } from './follow.ts'
import type { Prompt } from './prompt.ts'

/** A goal that is pursued elsewhere is told of its repair a moment later: asked again after so long, so many times. */
const LOOK_MS = 100
const LOOKS_MAX = 100

/** Refusals after which a person may try another value. */
const AGAIN: ReadonlySet<ErrorCode> = new Set(['CB_USAGE', 'CB_VALUE_INVALID'])

const QUESTION = '[y]es, [s]kip, [e]dit values, [c]ontinue, [d]etach, [q]uit? '

/** Follows a stepwise goal, asking before each step, until it rests for another reason or the person leaves. */
export async function stepThrough(invocation: Invocation, run: Followed, prompt: Prompt): Promise<Rest> {
  let from = run.from ?? 1
  for (;;) {
    const rest = await followFrom(invocation, run, from)
    const info = await run.agency.call('goal', { id: run.id }, run.by)
    if (rest !== 'suspended' || info.suspended?.code !== 'stepping') return rest
    const decision = await decideAndSay(invocation, run, info, prompt)
    if (decision === 'quit') return rest
    from = info.seq + 1
    if (decision.leave) {
      invocation.io.stdout.write(`it goes on; cloudburst logs ${[run.id, ...run.suffix].map(shellWord).join(' ')} --follow\n`)
      return 'unknown'
    }
  }
}

/** Asks until there is a decision that the goal's node takes: a mistyped value is told, and asked for again. */
async function decideAndSay(invocation: Invocation, run: Followed, info: RunInfo, prompt: Prompt): Promise<Decision | 'quit'> {
  for (;;) {
    const decision = await decide(invocation, run, info, prompt)
    if (decision === 'quit') return decision
    try {
      await run.agency.call('repair', decision.request, run.by)
      return decision
    } catch (error) {
      if (!(error instanceof CloudburstError) || !AGAIN.has(error.code)) throw error
      invocation.io.stdout.write(`${escapeTerminal(error.message)}\n`)
    }
  }
}

/** Follows from an event that may still be on its way. */
export async function followFrom(invocation: Invocation, run: Followed, from: number): Promise<Rest> {
  for (let look = 0; from > 1 && look < LOOKS_MAX; look++) {
    if ((await run.agency.call('goal', { id: run.id }, run.by)).seq >= from) break
    await pause(LOOK_MS, undefined, { signal: invocation.io.interrupted })
  }
  const [rest = 'unknown'] = await followGoals(invocation, [{ ...run, from }])
  return rest
}

interface Decision {
  readonly request: RepairRequest
  readonly leave?: true
}

async function decide(invocation: Invocation, run: Followed, info: RunInfo, prompt: Prompt): Promise<Decision | 'quit'> {
  const base = { id: run.id, seq: info.seq, assignments: [] }
  for (;;) {
    const answer = (await prompt.ask(QUESTION))?.toLowerCase()
    switch (answer) {
      case 'y':
      case 'yes':
        return { request: { ...base, stepwise: 'step' } }
      case 's':
      case 'skip':
        return { request: { ...base, stepwise: 'skip' } }
      case 'e':
      case 'edit':
        return { request: { ...base, stepwise: 'look', assignments: await edited(invocation, prompt) } }
      case 'c':
      case 'continue':
        return { request: base }
      case 'd':
      case 'detach':
        if (run.here !== true) return { request: base, leave: true }
        invocation.io.stdout.write('a program run from a file goes on only while this command runs: continue, or quit\n')
        break
      case undefined:
      case 'q':
      case 'quit':
        invocation.io.stdout.write(`it waits; cloudburst repair ${[run.id, ...run.suffix].map(shellWord).join(' ')} --step\n`)
        return 'quit'
      default:
        invocation.io.stdout.write('y: do this step · s: pass over it · e: change values first · c: do the rest without asking\n')
        invocation.io.stdout.write('d: the rest without asking, and leave · q: leave, the goal waits before this step\n')
    }
  }
}

async function edited(invocation: Invocation, prompt: Prompt): Promise<RepairRequest['assignments']> {
  const assignments: { path: string; value: string }[] = []
  for (;;) {
    const line = await prompt.ask('PATH=VALUE (an empty line ends): ')
    if (line === undefined || line === '') return assignments
    try {
      assignments.push(readAssignment(line, 'the line'))
    } catch (error) {
      invocation.io.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`)
    }
  }
}
