/**
 * On whose behalf a node asks. A request carries the signed asks that led to it, the first one's first, the last one signed by
 * whoever sends it; the node that is asked needs a permit for each of them, and allows what all of them may.
 * Spec: docs/permissions.md, "On whose behalf"
 */
import * as v from 'valibot'
import { type Ask, ASK_BYTES_MAX, openAsk } from '../crypto/ask.ts'
import { CloudburstError } from '../errors.ts'
import type { Principal } from '../goals/pursuit/events.ts'

/** Most asks that one request may rest on: a person, and the nodes that it went through. */
export const BEHALF_MAX = 8
/** The last ask was signed for this request just now, in milliseconds: clocks may be apart, and a stream may wait. */
export const ASK_FRESH_MS = 10 * 60_000
/** Of a sub-goal, the first one may be as old as a goal that is still pursued, in milliseconds. */
export const ASK_AGE_MAX_MS = 90 * 86_400_000

/** Envelopes in base64: they are also kept, as JSON, with the goal that they led to. */
export const behalfShape = v.pipe(v.array(v.pipe(v.string(), v.maxLength(ASK_BYTES_MAX * 2))), v.maxLength(BEHALF_MAX))

/** What is asked, as far as an ask names it. */
export interface Asked {
  readonly call: string
  readonly goalId?: string
  readonly goal?: string
  /** Hash, or a name. */
  readonly program?: string
  /** Of a sub-goal: `<run id>:<goal>` of those that led to it. */
  readonly chain?: readonly string[]
  /** Of a dispatch that takes back what a run has done: the run. */
  readonly undoes?: string
}

/**
 * Signs for this node.
 * @returns what goes with a request to `to`: the asks that `by` came with, and ours
 * @throws CloudburstError CB_DENIED when `by` is another node that has not signed what it asks: it cannot be passed on
 */
export type Signing = (to: string, asked: Omit<Asked, 'chain'>, by: Principal) => readonly string[]

/** Calls that a node may have to pass on to the one that pursues the goal, or that make one: signed by whoever asks. */
export const PASSED_ON: ReadonlySet<string> = new Set(['pursue', 'repair', 'preview', 'cancel', 'suspendgoal', 'resumegoal'])
/** Whoever has asked for one of these answers for the sub-goals that come of it. */
const MAKES_GOALS: ReadonlySet<string> = new Set(['pursue', 'dispatch', 'repair', 'resumegoal'])
/** Whoever has asked for one of these has what came of the goal taken back: its node is told which, by a run that takes back. */
const TAKES_BACK: ReadonlySet<string> = new Set([...MAKES_GOALS, 'cancel'])
/** Whoever has asked for one of these has what came of the goal ended: gives it up, or lets its undoing go on. */
const ENDS: ReadonlySet<string> = new Set(['cancel', 'repair', 'resumegoal'])
const HASH = /^[0-9a-f]{64}$/

/**
 * The asks of a request, checked: each is for the next one, the last one for this node by whoever sends it, all about this request.
 * @param from peer id of whoever sends the request
 * @throws CloudburstError CB_DENIED, CB_SIGNATURE_INVALID
 */
export function checkBehalf(
  behalf: readonly string[],
  { from, to, asked, now }: { readonly from: string; readonly to: string; readonly asked: Asked; readonly now: number }
): readonly Ask[] {
  const asks = behalf.map(text => openAsk(Buffer.from(text, 'base64')))
  asks.forEach((ask, at) => {
    const last = at === asks.length - 1
    const next = last ? to : asks[at + 1]!.signer
    if (ask.to !== next) throw denied(`an ask of ${ask.signer} is for ${ask.to}, not for ${next}`)
    if (last && ask.signer !== from) throw denied(`the last ask is signed by ${ask.signer}, not by ${from}`)
    const isPassedOn = asked.call !== 'dispatch' && ask.goalId === asked.goalId
    const age = last || isPassedOn ? ASK_FRESH_MS : ASK_AGE_MAX_MS
    if (ask.at > now + ASK_FRESH_MS || ask.at < now - age)
      throw denied(`an ask of ${ask.signer} is from another time, by this node's clock`)
    if (!(last ? isThis(ask, asked) : leadsTo(ask, asked))) throw denied(`an ask of ${ask.signer} is about something else`)
  })
  return asks
}

/** Signers of asks that were verified: those of a goal are looked at before each of its steps. */
const signers = new Map<string, string>()
/** Most of them: two for each of some hundred goals at work. */
const SIGNERS_MAX = 1_000

/** Every key that a principal stands for: the node that carried the request, and whoever it asks for. */
export function keysBehind({ peer, behalf = [] }: Principal): readonly string[] {
  return [...new Set([peer, ...behalf.map(signerOf)])]
}

function signerOf(text: string): string {
  const known = signers.get(text)
  if (known !== undefined) return known
  const { signer } = openAsk(Buffer.from(text, 'base64'))
  if (signers.size >= SIGNERS_MAX) signers.clear()
  signers.set(text, signer)
  return signer
}

function isThis(ask: Ask, { call, goalId, goal }: Asked): boolean {
  return ask.call === call && ask.goalId === goalId && (goal === undefined || ask.goal === undefined || ask.goal === goal)
}

/** Passed on as it is; or what came of it, a sub-goal of the goal that was asked for, of the same program. */
function leadsTo(ask: Ask, asked: Asked): boolean {
  if (ask.goalId === undefined) return false
  const isBelow = (asked.chain ?? []).some(link => link.slice(0, link.indexOf(':')) === ask.goalId)
  if (asked.call === 'cancel' && isBelow) return ENDS.has(ask.call)
  if (asked.call !== 'dispatch') return ask.call === asked.call && ask.goalId === asked.goalId
  if (!(asked.undoes === undefined ? MAKES_GOALS : TAKES_BACK).has(ask.call)) return false
  if (ask.program !== undefined && HASH.test(ask.program) && asked.program !== ask.program) return false
  return ask.goalId === asked.goalId || isBelow
}

function denied(reason: string): CloudburstError {
  return new CloudburstError('CB_DENIED', `what comes with the request does not show on whose behalf it is: ${reason}`)
}
