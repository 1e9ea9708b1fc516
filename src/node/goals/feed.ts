/**
 * What happened and happens to a goal, as one stream: events in order without gap or repeat, output in between.
 * Memory is bounded by one page of events and one chunk of output per stream, however slow the reader is.
 */
import { TextDecoder } from 'node:util'
import type { GoalEvent, OutputChunk } from '../../goals/pursuit/events.ts'
import type { EventItem } from '../../protocols/agency/calls.ts'
import { type EventSource, eventCursor } from '../../protocols/dispatch/live-events.ts'
import type { OutputHead } from '../../protocols/dispatch/messages.ts'
import type { NodeJournal } from '../store/journal.ts'

/** Where output of steps can be read and waited for; made of node/drivers/local.ts. */
export interface OutputSource {
  /** Bytes of one stream from an offset on; empty at its present end. At most one chunk. */
  readOutput(where: Omit<OutputChunk, 'offset' | 'bytes'> & { readonly from: number }): Promise<Uint8Array>
  /** Called whenever a running step of the goal may have printed something. @returns ends it */
  onOutput(goalId: string, listener: () => void): () => void
}

export interface FeedRequest {
  readonly id: string
  readonly from?: number
  readonly output?: boolean
  /** Go on until the goal has come to rest; `always`: until the signal fires, whatever the goal does. */
  readonly follow?: boolean | 'always'
  /** Output that the reader has already. */
  readonly have?: readonly OutputHead[]
  /** While nothing is known of the goal: whether it was sent to another node, whose first event is on its way. Absent: it was not. */
  readonly awaited?: () => Promise<boolean>
}

type FeedItem =
  | { readonly type: 'event'; readonly event: GoalEvent }
  | { readonly type: 'chunk'; readonly chunk: OutputChunk }
  | { readonly type: 'waiting'; readonly reason: string }

/** A try of a step whose output has not been told to its end. */
interface Printing {
  readonly step: string
  readonly attempt: number
  readonly offsets: { stdout: number; stderr: number }
}

/** The feed as the agency's callers see it: output as text. */
export async function* events(feed: AsyncIterable<FeedItem>): AsyncGenerator<EventItem> {
  const decoders = new Map<string, TextDecoder>()
  for await (const item of feed) {
    if (item.type !== 'chunk') {
      yield item
      continue
    }
    const { step, attempt, stream, offset, bytes } = item.chunk
    const key = `${step} ${attempt} ${stream}`
    const decoder = decoders.get(key) ?? new TextDecoder()
    decoders.set(key, decoder)
    yield { type: 'output', step, attempt, stream, offset, text: decoder.decode(bytes, { stream: true }) }
  }
}

/** Output alone, as bytes, until `until` fires; what is unread then still comes. */
export async function* output(feed: AsyncIterable<FeedItem>): AsyncGenerator<OutputChunk> {
  for await (const item of feed) if (item.type === 'chunk') yield item.chunk
}

/** @param onWaiting tells why nothing comes right now, for a goal pursued elsewhere */
export async function* feed(
  journal: Pick<NodeJournal, 'readDurable' | 'subscribe' | 'summary'>,
  source: OutputSource,
  request: FeedRequest,
  signal: AbortSignal,
  onWaiting: (listener: (reason: string) => void) => () => void = () => () => undefined
): AsyncGenerator<FeedItem> {
  const bell = new Bell()
  const durable: EventSource = { read: journal.readDurable, subscribe: journal.subscribe }
  const cursor = eventCursor(durable, request.id, request.from ?? 1, () => bell.ring())
  const ends = [
    cursor.end,
    request.output === true ? source.onOutput(request.id, () => bell.ring()) : () => undefined,
    onWaiting(reason => bell.ring(reason))
  ]
  const hush = (): void => bell.ring()
  signal.addEventListener('abort', hush, { once: true })
  const reader = new Reader(source, request)
  let told: GoalEvent | undefined
  try {
    const first = cursor.next
    if (request.output === true && first > 1) reader.pass((await journal.readDurable(request.id)).filter(event => event.seq < first))
    for (;;) {
      bell.quiet()
      const last = signal.aborted
      const begins = told === undefined
      for (const event of await cursor.take()) {
        yield* reader.before(event)
        yield { type: 'event', event }
        told = event
      }
      yield* reader.rest()
      if (last || request.follow !== true) {
        if (last || request.follow !== 'always') return
      } else if ((begins || mayRest(told)) && (await atRest(journal, request, cursor.next))) return
      const reason = await bell.wait()
      if (reason !== undefined) yield { type: 'waiting', reason }
    }
  } finally {
    signal.removeEventListener('abort', hush)
    for (const end of ends) end()
  }
}

/** Reads the output of the steps that events speak of. */
class Reader {
  readonly #source: OutputSource
  readonly #request: FeedRequest
  readonly #printing = new Map<string, Printing>()

  constructor(source: OutputSource, request: FeedRequest) {
    this.#source = source
    this.#request = request
  }

  /** Events that the reader of the feed knows: only steps that still print matter. */
  pass(events: readonly GoalEvent[]): void {
    for (const event of events) this.#note(event)
  }

  /** Output that belongs before the event: the rest of a step's, before its end. */
  async *before(event: GoalEvent): AsyncGenerator<FeedItem> {
    const ended = event.body.type === 'step-ended' ? this.#printing.get(event.body.step) : undefined
    if (ended !== undefined) yield* this.#drain(ended)
    this.#note(event)
  }

  /** What all running steps have printed since. */
  async *rest(): AsyncGenerator<FeedItem> {
    for (const each of this.#printing.values()) yield* this.#drain(each)
  }

  #note({ body }: GoalEvent): void {
    if (body.type === 'step-ended') this.#printing.delete(body.step)
    if (body.type !== 'step-began' || body.kind !== 'send' || this.#request.output !== true) return
    const { step, attempt } = body
    const had = (stream: 'stdout' | 'stderr'): number =>
      this.#request.have?.find(each => each.step === step && each.attempt === attempt && each.stream === stream)?.bytes ?? 0
    this.#printing.set(step, { step, attempt, offsets: { stdout: had('stdout'), stderr: had('stderr') } })
  }

  async *#drain({ step, attempt, offsets }: Printing): AsyncGenerator<FeedItem> {
    const goalId = this.#request.id
    for (const stream of ['stdout', 'stderr'] as const) {
      for (;;) {
        const offset = offsets[stream]
        const bytes = await this.#source.readOutput({ goalId, step, attempt, stream, from: offset })
        if (bytes.length === 0) break
        offsets[stream] += bytes.length
        yield { type: 'chunk', chunk: { goalId, step, attempt, stream, offset, bytes } }
      }
    }
  }
}

/** Whether it is worth looking if this was the last event: saves a look at the disk for each of the others. */
function mayRest(told: GoalEvent | undefined): boolean {
  const type = told?.body.type
  return type === undefined || type === 'completed' || type === 'cancelled' || type === 'suspended'
}

/** At rest and told to the end: a repair may have come in between. */
async function atRest(journal: Pick<NodeJournal, 'summary'>, { id, awaited }: FeedRequest, next: number): Promise<boolean> {
  const summary = await journal.summary(id)
  // Looked up once more: all of it may have come between the first look and the answer that nothing is on its way.
  if (summary === undefined) return !(await awaited?.()) && (await journal.summary(id)) === undefined
  const resting = summary.status === 'completed' || summary.status === 'cancelled' || summary.status === 'suspended'
  return resting && summary.seq < next
}

/** Something may have happened: rung any number of times, heard once. */
class Bell {
  #rung = false
  #reason: string | undefined
  #wake: (() => void) | undefined

  ring(reason?: string): void {
    this.#rung = true
    this.#reason = reason ?? this.#reason
    this.#wake?.()
  }

  quiet(): void {
    this.#rung = false
  }

  /** Resolves once rung since {@link quiet}; gives the latest reason, once. */
  async wait(): Promise<string | undefined> {
    if (!this.#rung) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    this.#wake = undefined
    const reason = this.#reason
    this.#reason = undefined
    return reason
  }
}
