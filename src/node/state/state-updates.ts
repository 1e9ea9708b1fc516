/**
 * SendStateUpdate over HTTP: `GET` and `POST /api/v1/state-updates`. The same signed envelopes that travel between nodes;
 * giving one twice changes nothing. Source: docs/state.md
 */
import { CloudburstError, toErrorData, toProblem } from '../../errors.ts'
import { announcementShape, ENVELOPE_BYTES_MAX } from '../../protocols/state/record.ts'
import type { Head } from '../../protocols/state/messages.ts'
import type { Replica } from '../../protocols/state/replica.ts'
import { accepted } from '../../protocols/shapes.ts'
import type { Resource, RestAnswer, RestRequest } from '../control/rest.ts'

/** Envelopes in one POST. */
const POSTED_MAX = 10_000

type State = Pick<Replica, 'heads' | 'missing' | 'apply' | 'applyProof' | 'applyForget' | 'subscribe'>

export function stateUpdates(replica: State): Resource {
  return {
    path: '/api/v1/state-updates',
    methods: ['GET', 'POST'],
    answer: async request => (request.method === 'POST' ? take(replica, request) : give(replica, request))
  }
}

/** What the asker lacks: all, or what is behind the heads in `have`; with `follow`, or to who accepts only events, what comes too. */
function give(replica: State, { url, headers, signal }: RestRequest): RestAnswer {
  const have = headsOf(url.searchParams.get('have'))
  const follow = url.searchParams.has('follow') || headers.accept === 'text/event-stream'
  if (follow) return { events: followed(replica, have, signal) }
  const { envelopes, proofs, forgets } = replica.missing(have)
  const answer = {
    heads: replica.heads(),
    updates: envelopes.map(parsed),
    forks: proofs.map(proof => proof.map(parsed)),
    forgets: forgets.map(parsed)
  }
  return { type: 'application/json', text: JSON.stringify(answer) }
}

async function* followed(
  replica: State,
  have: readonly Head[],
  signal: AbortSignal
): AsyncGenerator<{ readonly event: string; readonly data: string }> {
  let known = have
  let wake = (): void => undefined
  let news = true
  const ring = (): void => {
    news = true
    wake()
  }
  const end = replica.subscribe(ring)
  signal.addEventListener('abort', ring, { once: true })
  try {
    while (!signal.aborted) {
      if (!news) await new Promise<void>(resolve => (wake = resolve))
      news = false
      // Asked for together: nothing can come between what is given and what is known then.
      const { envelopes, proofs, forgets } = replica.missing(known)
      known = replica.heads()
      for (const envelope of envelopes) yield { event: 'update', data: text(envelope) }
      for (const proof of proofs) yield { event: 'fork', data: `[${proof.map(text).join(',')}]` }
      for (const envelope of forgets) yield { event: 'forget', data: text(envelope) }
    }
  } finally {
    end()
    signal.removeEventListener('abort', ring)
  }
}

/** One envelope, or lists of them as GET gives them. @returns what became of each, in their order: forks and forgets after the updates */
function take(replica: State, { body }: RestRequest): RestAnswer {
  const given = body as { updates?: unknown; forks?: unknown; forgets?: unknown; payload?: unknown }
  const updates = given.payload === undefined ? listOf(given.updates, 'updates') : [given]
  const [forks, forgets] = [listOf(given.forks, 'forks'), listOf(given.forgets, 'forgets')]
  if (updates.length + forks.length + forgets.length > POSTED_MAX)
    throw new CloudburstError('CB_USAGE', `at most ${POSTED_MAX} updates are taken at once`)
  const verdicts = [
    ...updates.map(each => verdict(() => replica.apply(bytes(each)))),
    ...forks.map(each => verdict(() => (replica.applyProof(pair(each)) ? 'applied' : 'known'))),
    ...forgets.map(each => verdict(() => (replica.applyForget(bytes(each)) ? 'applied' : 'known')))
  ]
  return { type: 'application/json', text: JSON.stringify({ verdicts }) }
}

function verdict(work: () => string): { readonly verdict: string } | { readonly error: ReturnType<typeof toProblem> } {
  try {
    return { verdict: work() }
  } catch (error) {
    if (toErrorData(error).code === 'CB_INTERNAL') throw error
    return { error: toProblem(error) }
  }
}

/** `have`: the heads of an earlier answer, as JSON in base64url. */
function headsOf(have: string | null): readonly Head[] {
  if (have === null) return []
  try {
    return accepted(announcementShape, { heads: JSON.parse(Buffer.from(have, 'base64url').toString('utf8')) }, 'have', 'CB_USAGE').heads
  } catch (error) {
    if (error instanceof CloudburstError) throw error
    throw new CloudburstError('CB_USAGE', 'have is not the heads of an earlier answer, as JSON in base64url')
  }
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (value === undefined) return []
  if (Array.isArray(value)) return value
  throw new CloudburstError('CB_USAGE', `${name} is a list of envelopes`)
}

function pair(value: unknown): readonly [Uint8Array, Uint8Array] {
  const [a, b, more] = Array.isArray(value) ? value : []
  if (a === undefined || b === undefined || more !== undefined) throw new CloudburstError('CB_USAGE', 'a fork is proved by two envelopes')
  return [bytes(a), bytes(b)]
}

/** The signature is over the payload and its type, so the envelope around them may be written anew. */
function bytes(envelope: unknown): Uint8Array {
  const written = Buffer.from(JSON.stringify(envelope) ?? '')
  if (written.byteLength > ENVELOPE_BYTES_MAX * 2)
    throw new CloudburstError('CB_FRAME_TOO_LONG', `an envelope has ${written.byteLength} bytes`)
  return written
}

function text(envelope: Uint8Array): string {
  return Buffer.from(envelope).toString('utf8')
}

function parsed(envelope: Uint8Array): unknown {
  return JSON.parse(text(envelope))
}
