/**
 * The control API: HTTP over a Unix socket, served to the people of this node. Routes and shapes: ./contract.ts
 * A call is passed to this node's agency or, with `?peer=`, to that of a peer; this file knows neither.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { CloudburstError, PROBLEM_TYPE, toProblem } from '../../errors.ts'
import type { Principal } from '../../goals/pursuit/events.ts'
import { type Agency, callCapability, type CallName, type Calls, type StreamCalls, type StreamName } from '../../protocols/agency/calls.ts'
import { callShapes, streamShapes } from '../../protocols/agency/shapes.ts'
import { accepted } from '../../protocols/shapes.ts'
import { listenAlone } from './bind.ts'
import { type Resource, sendAnswer } from './rest.ts'
import { localShapes } from './shapes.ts'
import { type LocalCalls, CONTROL_VERSION } from './contract.ts'

/** Longest request body, in bytes: several programs of the longest size. */
export const BODY_BYTES_MAX = 8 * 1024 * 1024
/** A body that is too long is read this far, in bytes, for the sake of the answer; then the connection ends. */
const DISCARDED_BYTES_MAX = 8 * BODY_BYTES_MAX
/** Streams served at once, one for each goal that is followed, and a person may follow one on every node; each may hold a chunk of output in memory. */
export const STREAMS_MAX = 1_024

/** What the API is a door to. */
export interface ControlHandlers {
  /** This node. */
  readonly agency: Agency
  /** @throws CloudburstError CB_PEER_UNKNOWN, CB_PEER_UNREACHABLE */
  agencyOf(selector: string, signal: AbortSignal): Promise<{ readonly agency: Agency; readonly peer: string }>
  readonly local: LocalHandlers
  /** What is served beside the calls. */
  readonly resources?: readonly Resource[]
  /** Who stands at the socket: its directory lets in only the owner of the home. */
  readonly by: Principal
}

/** One function for each of {@link LocalCalls}. */
export type LocalHandlers = {
  readonly [N in keyof LocalCalls]: (
    request: LocalCalls[N]['request'],
    by: Principal,
    signal: AbortSignal
  ) => Promise<LocalCalls[N]['reply']>
}

/** The control socket, taken; see {@link bindControl}. */
export interface ControlBinding {
  /** Answers from now on, those requests included that came before. */
  serve(handlers: ControlHandlers): void
  /** Answers one request of another server, whose client was let in. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Ends all streams, then closes; resolves when the socket file is gone. */
  stop(): Promise<void>
}

/**
 * Takes the socket at `path`; requests wait until the handlers are given.
 * Called first at the start of a daemon: it is what keeps a second one off the same home.
 *
 * @throws CloudburstError CB_ALREADY_RUNNING
 */
export async function bindControl(path: string): Promise<ControlBinding> {
  let give!: (handlers: ControlHandlers) => void
  const given = new Promise<ControlHandlers>(resolve => {
    give = resolve
  })
  const door: Door = { given, streams: 0, ending: new AbortController() }
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
    void answer(door, request, response)
  })
  await listenAlone(server, path)
  return { serve: give, handle: (request, response) => answer(door, request, response), stop: () => close(server, door) }
}

interface Door {
  readonly given: Promise<ControlHandlers>
  streams: number
  readonly ending: AbortController
}

async function close(server: Server, door: Door): Promise<void> {
  door.ending.abort(new CloudburstError('CB_NO_DAEMON', 'the daemon stops'))
  await new Promise<void>(resolve => {
    server.close(() => resolve())
    server.closeIdleConnections()
    // What does not end by itself within a moment is a client that does not read.
    setTimeout(() => server.closeAllConnections(), 250).unref()
  })
}

async function answer(door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new CloudburstError('CB_INTERRUPTED', 'the client left'))
  })
  const signal = AbortSignal.any([gone.signal, door.ending.signal])
  try {
    await route(door, request, response, signal)
  } catch (error) {
    fail(response, door.ending.signal.aborted ? door.ending.signal.reason : error)
  }
}

async function route(door: Door, request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
  const url = targetOf(request.url ?? '/')
  const found = await resourceAt(door, url.pathname, signal)
  if (found !== undefined) return await serveResource(door, found, url, request, response, signal)
  const [, kind, name] = /^\/api\/v1\/(calls|streams|local)\/([a-z]+)$/.exec(url.pathname) ?? []
  if (kind === undefined || name === undefined) throw new CloudburstError('CB_USAGE', `the control API has no ${url.pathname}`)
  if (request.method !== 'POST') throw new CloudburstError('CB_USAGE', `${url.pathname} takes POST, not ${request.method}`)
  const body = await bodyOf(request)
  const handlers = await Promise.race([door.given, aborted(signal)])
  const peer = url.searchParams.get('peer')
  if (kind === 'local') {
    if (!Object.hasOwn(handlers.local, name)) throw new CloudburstError('CB_USAGE', `there is no local call ${name}`)
    const asked = accepted(localShapes[name as 'dispatch'], body, `request of ${name}`, 'CB_USAGE')
    return reply(response, await handlers.local[name as 'dispatch'](asked, handlers.by, signal))
  }
  if (!Object.hasOwn(callCapability, name) || streamNames.has(name) !== (kind === 'streams')) {
    throw new CloudburstError('CB_USAGE', `there is no ${kind === 'calls' ? 'call' : 'stream'} ${name}`)
  }
  const agency = peer === null ? handlers.agency : (await handlers.agencyOf(peer, signal)).agency
  if (kind === 'calls') {
    const asked: Calls[CallName]['request'] = accepted(callShapes[name as CallName], body, `request of ${name}`, 'CB_USAGE')
    return reply(response, await agency.call(name as CallName, asked, handlers.by, signal))
  }
  const asked: StreamCalls[StreamName]['request'] = accepted(streamShapes[name as StreamName], body, `request of ${name}`, 'CB_USAGE')
  const items = agency.stream(name as StreamName, asked, handlers.by, signal)
  return stream(door, response, items, signal)
}

async function resourceAt(door: Door, path: string, signal: AbortSignal): Promise<Resource | undefined> {
  if (/^\/api\/v1\/(calls|streams|local)\//.test(path)) return undefined
  const { resources = [] } = await Promise.race([door.given, aborted(signal)])
  return resources.find(each => each.path === path)
}

async function serveResource(
  door: Door,
  resource: Resource,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal
): Promise<void> {
  const { method = 'GET', headers } = request
  if (!resource.methods.includes(method))
    throw new CloudburstError('CB_USAGE', `${url.pathname} takes ${resource.methods.join(' or ')}, not ${method}`)
  if (door.streams >= STREAMS_MAX) throw new CloudburstError('CB_BUSY', `${STREAMS_MAX} streams are open already`)
  door.streams++
  try {
    const body = method === 'GET' ? {} : await bodyOf(request)
    await sendAnswer(
      response,
      await resource.answer({ method, url, headers, body, signal }),
      text => written(response, text, signal),
      signal
    )
  } finally {
    door.streams--
  }
}

/** Characters of a request's target that are told back. */
const TARGET_CHARS_SHOWN = 200

/** What a request is for. A client may write anything there. @throws CloudburstError CB_USAGE */
function targetOf(text: string): URL {
  try {
    return new URL(text, 'http://control')
  } catch {
    throw new CloudburstError('CB_USAGE', `the control API has no ${text.slice(0, TARGET_CHARS_SHOWN)}`)
  }
}

const streamNames: ReadonlySet<string> = new Set<StreamName>(['events', 'watch'])

async function stream(door: Door, response: ServerResponse, items: AsyncIterable<unknown>, signal: AbortSignal): Promise<void> {
  if (door.streams >= STREAMS_MAX) throw new CloudburstError('CB_BUSY', `${STREAMS_MAX} streams are open already`)
  door.streams++
  try {
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
    await line(response, { type: 'version', version: CONTROL_VERSION }, signal)
    for await (const item of items) await line(response, item, signal)
    // A source that was asked to stop ends as if it were done; the client must not take that for the end.
    signal.throwIfAborted()
    response.end()
  } finally {
    door.streams--
  }
}

/** Resolves once there is room for more: a client that reads slowly slows its own stream and nothing else. */
async function line(response: ServerResponse, item: unknown, signal: AbortSignal): Promise<void> {
  await written(response, `${JSON.stringify(item)}\n`, signal)
}

async function written(response: ServerResponse, text: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (response.write(text)) return
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    response.once('drain', () => {
      signal.removeEventListener('abort', stop)
      resolve()
    })
  })
}

/** Status 200 and the JSON of `body`. */
export function reply(response: ServerResponse, body: unknown): void {
  const text = JSON.stringify(body)
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

/** As status and body, or as the last line of a stream that has begun. */
export function fail(response: ServerResponse, error: unknown): void {
  const problem = toProblem(error)
  if (response.headersSent) {
    response.end(`${JSON.stringify({ type: 'error', error: problem })}\n`)
    return
  }
  const text = JSON.stringify(problem)
  response.writeHead(problem.status, { 'content-type': PROBLEM_TYPE, 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

/** The JSON object that a request carries; `{}` for an empty body. @throws CloudburstError CB_FRAME_TOO_LONG, CB_USAGE */
export async function bodyOf(request: IncomingMessage): Promise<object> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk)
    // Read to its end, held no longer: whoever is cut off while writing does not hear why.
    else chunks.length = 0
    if (bytes > DISCARDED_BYTES_MAX) break
  }
  if (bytes > BODY_BYTES_MAX) throw new CloudburstError('CB_FRAME_TOO_LONG', `a request body is longer than ${BODY_BYTES_MAX} bytes`)
  if (bytes === 0) return {}
  const body: unknown = parsed(Buffer.concat(chunks).toString('utf8'))
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
  throw new CloudburstError('CB_USAGE', 'a request body is a JSON object')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
}
