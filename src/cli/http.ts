/** HTTP over a Unix socket: JSON there and back, and lines of JSON. */
import { Agent, type IncomingMessage, request as httpRequest } from 'node:http'
import { CloudburstError, type ErrorData, fromErrorData } from '../errors.ts'

/** Node looks for a name for TLS otherwise, which takes some milliseconds. */
const NO_TLS = { servername: '' }

export interface ControlHttp {
  /** @throws CloudburstError as the daemon said, or CB_NO_DAEMON */
  post(path: string, body: unknown, signal: AbortSignal): Promise<unknown>
  /** Resolves once the daemon has begun to answer; the version line is taken off. */
  stream(path: string, body: unknown, signal: AbortSignal): Promise<AsyncIterable<unknown>>
}

/** @param home where the daemon would have to be started, for the error */
export function httpOver(socketPath: string, home: string): ControlHttp {
  const agent = new Agent({ keepAlive: true })

  function send(path: string, body: unknown, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const text = JSON.stringify(body)
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
      const request = httpRequest({ ...NO_TLS, socketPath, path, method: 'POST', agent, headers, signal }, resolve)
      request.on('error', error => reject(signal.aborted ? signal.reason : away(error, socketPath, home)))
      request.end(text)
    })
  }

  return {
    async post(path, body, signal) {
      const response = await send(path, body, signal)
      const reply = parsed(await textOf(response, signal, socketPath, home))
      if (response.statusCode === 200) return reply
      throw fromProblem(reply, path)
    },
    async stream(path, body, signal) {
      const response = await send(path, body, signal)
      if (response.statusCode !== 200) throw fromProblem(parsed(await textOf(response, signal, socketPath, home)), path)
      return items(response, signal, socketPath, home)
    }
  }
}

async function textOf(response: IncomingMessage, signal: AbortSignal, socketPath: string, home: string): Promise<string> {
  try {
    const chunks: Buffer[] = []
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
    return Buffer.concat(chunks).toString('utf8')
  } catch (error) {
    throw signal.aborted ? signal.reason : away(error, socketPath, home)
  }
}

async function* items(response: IncomingMessage, signal: AbortSignal, socketPath: string, home: string): AsyncGenerator<unknown> {
  let held = ''
  response.setEncoding('utf8')
  try {
    for await (const chunk of response as AsyncIterable<string>) {
      const lines = (held + chunk).split('\n')
      held = lines.pop() ?? ''
      for (const line of lines) {
        const item = parsed(line) as { readonly type?: string; readonly error?: unknown }
        if (item.type === 'version') continue
        if (item.type === 'error') throw fromProblem(item.error, 'the stream')
        yield item
      }
    }
  } catch (error) {
    if (error instanceof CloudburstError) throw error
    throw signal.aborted ? signal.reason : away(error, socketPath, home)
  }
}

function fromProblem(problem: unknown, where: string): CloudburstError {
  const { code, detail, details } = (problem ?? {}) as { code?: ErrorData['code']; detail?: string; details?: ErrorData['details'] }
  if (code === undefined || detail === undefined)
    return new CloudburstError('CB_INTERNAL', `the daemon answered ${where} with something else than an error`)
  return fromErrorData({ code, message: detail, ...(details === undefined ? {} : { details }) })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new CloudburstError('CB_INTERNAL', 'the daemon sent something else than JSON')
  }
}

/** Not there, not ours to open, or gone while it answered. */
function away(error: unknown, socketPath: string, home: string): CloudburstError {
  const { code } = error as NodeJS.ErrnoException
  const why = code === 'EACCES' || code === 'EPERM' ? `${socketPath} may not be opened by this user` : `no daemon answers at ${socketPath}`
  return new CloudburstError('CB_NO_DAEMON', why, { home }, error)
}
