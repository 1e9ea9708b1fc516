/** Resources of the control API that are not calls: each answers with a text, or with server-sent events. */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'

export interface RestRequest {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  /** The body as JSON; an empty object when there is none. */
  readonly body: object
  readonly signal: AbortSignal
}

export type RestAnswer =
  | { readonly status?: number; readonly type: string; readonly text: string }
  /** One server-sent event each, until the source ends or the client leaves. */
  | { readonly events: AsyncIterable<{ readonly event: string; readonly data: string }> }

/** Answers for one path and those methods that it knows. @throws CloudburstError */
export interface Resource {
  readonly path: string
  readonly methods: readonly string[]
  answer(request: RestRequest): Promise<RestAnswer>
}

/** A line that keeps a quiet stream of events open through proxies, in milliseconds. */
const COMMENT_EVERY_MS = 15_000

/** @param write resolves once there is room for more */
export async function sendAnswer(
  response: ServerResponse,
  answer: RestAnswer,
  write: (text: string) => Promise<void>,
  signal: AbortSignal
): Promise<void> {
  if (!('events' in answer)) {
    response.writeHead(answer.status ?? 200, { 'content-type': answer.type, 'content-length': Buffer.byteLength(answer.text) })
    response.end(answer.text)
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.flushHeaders()
  const beat = setInterval(() => response.write(':\n\n'), COMMENT_EVERY_MS).unref()
  try {
    for await (const { event, data } of answer.events) await write(`event: ${event}\ndata: ${data}\n\n`)
    signal.throwIfAborted()
    response.end()
  } finally {
    clearInterval(beat)
  }
}
