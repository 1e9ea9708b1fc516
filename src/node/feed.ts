/**
 * What happened and happens to a goal, as one stream: events in order without gap or repeat, output in between.
 * Memory is bounded by one page of events and one chunk of output per stream, however slow the reader is.
 */
import type { GoalEvent } from '../goals/pursuit/events.ts'
import type { EventItem } from '../protocols/agency/calls.ts'
import type { NodeJournal } from './store/journal.ts'

/** Where output of steps can be read and waited for; node/drivers/local.ts. */
export interface OutputSource {
  /** Bytes of one stream from an offset on; empty at its present end. At most one chunk. */
  readOutput(where: {
    readonly goalId: string
    readonly step: string
    readonly attempt: number
    readonly stream: 'stdout' | 'stderr'
    readonly from: number
  }): Promise<Uint8Array>
  /** Called whenever a running step of the goal may have printed something. @returns ends it */
  onOutput(goalId: string, listener: () => void): () => void
}

export interface FeedRequest {
  readonly id: string
  readonly from?: number
  /** Go on until the goal has come to rest. */
  readonly follow?: boolean
  readonly output?: boolean
}

/** A try of a step whose output has not been told to its end. */
interface Printing {
  readonly step: string
  readonly attempt: number
  readonly offsets: { stdout: number; stderr: number }
  readonly decoders: { readonly stdout: TextDecoder; readonly stderr: TextDecoder }
}

/** @param waiting says why nothing comes right now, for a goal pursued elsewhere */
export async function* feed(
  journal: NodeJournal,
  output: OutputSource,
  request: FeedRequest,
  signal: AbortSignal,
  waiting: (listener: (reason: string) => void) => () => void
): AsyncGenerator<EventItem> {
  const bell = new Bell()
  const unsubscribe = [
    journal.subscribe(request.id, () => bell.ring()),
    request.output === true ? output.onOutput(request.id, () => bell.ring()) : () => undefined,
    waiting(reason => bell.ring(reason))
  ]
  const hush = (): void => bell.ring()
  signal.addEventListener('abort', hush, { once: true })
  const printing = new Map<string, Printing>()
  let next = request.from ?? 1
  if (request.output === true && next > 1) {
    // Whoever comes back tells repeated output by its offset.
    for (const event of await journal.read(request.id)) if (event.seq < next) follow(printing, event)
  }
  try {
    for (;;) {
      bell.quiet()
      const events = await journal.read(request.id, next)
      for (const event of events) {
        if (request.output === true) yield* outputBefore(output, request.id, printing, event)
        yield { type: 'event', event }
        next = event.seq + 1
      }
      if (request.output === true) for (const each of printing.values()) yield* drain(output, request.id, each)
      if (signal.aborted || request.follow !== true || (await atRest(journal, request.id, next))) return
      const reason = await bell.wait()
      if (reason !== undefined) yield { type: 'waiting', reason }
    }
  } finally {
    signal.removeEventListener('abort', hush)
    for (const end of unsubscribe) end()
  }
}

/** Output comes before the event that ends its step. */
async function* outputBefore(
  output: OutputSource,
  goalId: string,
  printing: Map<string, Printing>,
  event: GoalEvent
): AsyncGenerator<EventItem> {
  const each = event.body.type === 'step-ended' ? printing.get(event.body.step) : undefined
  if (each !== undefined) yield* drain(output, goalId, each)
  follow(printing, event)
}

function follow(printing: Map<string, Printing>, { body }: GoalEvent): void {
  if (body.type === 'step-ended') printing.delete(body.step)
  if (body.type !== 'step-began' || body.kind !== 'send') return
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  printing.set(body.step, { step: body.step, attempt: body.attempt, offsets: { stdout: 0, stderr: 0 }, decoders })
}

async function* drain(output: OutputSource, goalId: string, each: Printing): AsyncGenerator<EventItem> {
  for (const stream of ['stdout', 'stderr'] as const) {
    for (;;) {
      const offset = each.offsets[stream]
      const bytes = await output.readOutput({ goalId, step: each.step, attempt: each.attempt, stream, from: offset })
      if (bytes.length === 0) break
      each.offsets[stream] += bytes.length
      const text = each.decoders[stream].decode(bytes, { stream: true })
      yield { type: 'output', step: each.step, attempt: each.attempt, stream, offset, text }
    }
  }
}

/** At rest and told to the end: a repair may have come in between. */
async function atRest(journal: NodeJournal, id: string, next: number): Promise<boolean> {
  const summary = await journal.summary(id)
  if (summary === undefined) return true
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
