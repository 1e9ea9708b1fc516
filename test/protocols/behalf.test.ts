import assert from 'node:assert/strict'
import { type AskWords, sealAsk } from '../../src/crypto/ask.ts'
import { generateIdentity, type Identity } from '../../src/crypto/identity.ts'
import { CloudburstError } from '../../src/errors.ts'
import { ASK_AGE_MAX_MS, ASK_FRESH_MS, type Asked, checkBehalf } from '../../src/protocols/behalf.ts'

const NOW = 10 * ASK_AGE_MAX_MS
const [a, b, c, mallory] = [generateIdentity(), generateIdentity(), generateIdentity(), generateIdentity()] as const
const ROOT = '01JD00000000000000000000AA'
const HASH = 'ab'.repeat(32)

function ask(signer: Identity, to: Identity, words: Partial<AskWords> = {}): string {
  return Buffer.from(sealAsk(signer, { to: to.peer, call: 'repair', at: NOW, goalId: ROOT, ...words })).toString('base64')
}

function verdict(behalf: readonly string[], asked: Asked = { call: 'repair', goalId: ROOT }): string {
  try {
    return checkBehalf(behalf, { from: b.peer, to: c.peer, asked, now: NOW })
      .map(({ signer }) => (signer === a.peer ? 'a' : signer === b.peer ? 'b' : '?'))
      .join(' ')
  } catch (error) {
    assert.ok(error instanceof CloudburstError, String(error))
    return 'denied'
  }
}

describe('the asks that a request carries', () => {
  const sub: Asked = { call: 'dispatch', goalId: '01JD00000000000000000000ZZ', goal: 'part', program: HASH, chain: [`${ROOT}:whole`] }
  const last = ask(b, c, { call: 'dispatch', goalId: sub.goalId! })
  const undoing: Asked = { ...sub, undoes: '01JD00000000000000000000YY' }
  const end: Asked = { call: 'cancel', goalId: sub.goalId!, chain: sub.chain! }
  const lastEnd = ask(b, c, { call: 'cancel', goalId: sub.goalId! })
  const cases: ReadonlyArray<[string, string, readonly string[], Asked?]> = [
    ['name whoever has asked, first to last', 'a b', [ask(a, b), ask(b, c)]],
    ['may be none but that of the node that sends it', 'b', [ask(b, c)]],
    ['may be none at all', '', []],
    ['are refused when one was for another node', 'denied', [ask(a, mallory), ask(b, c)]],
    ['are refused when the last was for another node', 'denied', [ask(a, b), ask(b, a)]],
    ['are refused when the last is not by whoever sends it', 'denied', [ask(a, c)]],
    ['are refused about another goal', 'denied', [ask(a, b, { goalId: '01JD00000000000000000000BB' }), ask(b, c)]],
    ['are refused about another call', 'denied', [ask(a, b, { call: 'cancel' }), ask(b, c)]],
    ['are refused when they are old', 'denied', [ask(a, b, { at: NOW - ASK_FRESH_MS - 1 }), ask(b, c)]],
    ['are refused when they are from the future', 'denied', [ask(a, b), ask(b, c, { at: NOW + ASK_FRESH_MS + 1 })]],
    ['are refused when they are no asks', 'denied', ['AAAA', ask(b, c)]],
    ['lead to sub-goals of the goal that was asked for', 'a b', [ask(a, b, { call: 'pursue', program: HASH }), last], sub],
    ['lead there for as long as a goal may take', 'a b', [ask(a, b, { call: 'dispatch', at: NOW - ASK_AGE_MAX_MS }), last], sub],
    ['do not lead to sub-goals of other goals', 'denied', [ask(a, b, { call: 'pursue', goalId: '01JD00000000000000000000BB' }), last], sub],
    ['do not lead to goals of another program', 'denied', [ask(a, b, { call: 'pursue', program: 'cd'.repeat(32) }), last], sub],
    ['do not lead there from what makes no goal', 'denied', [ask(a, b, { call: 'cancel' }), last], sub],
    ['lead from giving a goal up to taking back what came of it', 'a b', [ask(a, b, { call: 'cancel' }), last], undoing],
    ['lead from letting it go on to that too', 'a b', [ask(a, b, { call: 'repair' }), last], undoing],
    [
      'do not lead there from goals above which it does not stand',
      'denied',
      [ask(a, b, { call: 'cancel', goalId: `${sub.goalId!}X` }), last],
      undoing
    ],
    [
      'lead from giving a goal up to ending what came of it',
      'a b',
      [ask(a, b, { call: 'cancel', at: NOW - ASK_AGE_MAX_MS }), lastEnd],
      end
    ],
    ['do not lead to ending other goals', 'denied', [ask(a, b, { call: 'cancel' }), lastEnd], { call: 'cancel', goalId: sub.goalId! }],
    ['do not lead to ending goals from having asked for them', 'denied', [ask(a, b, { call: 'pursue' }), lastEnd], end],
    ['do not lead to ending goals from what only looks', 'denied', [ask(a, b, { call: 'preview' }), lastEnd], end]
  ]
  for (const [what, expected, behalf, asked] of cases) it(what, () => assert.equal(verdict(behalf, asked), expected))
})
