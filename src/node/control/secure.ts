/**
 * The control API over the network: TLS 1.3 and nothing else, for whoever has signed in. What it serves, and how, is ./server.ts.
 * A page of another site can neither read an answer nor make a request that counts: Host and Origin have to be this server's,
 * and who asks is told by a header, never by a cookie.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { CloudburstError } from '../../errors.ts'
import type { LeafNames } from '../../crypto/certificate.ts'
import type { Audit, AuditEntry } from '../permissions/audit.ts'
import { sparingly } from '../permissions/sparing-audit.ts'
import type { Certificates } from './certificates.ts'
import { bodyOf, type ControlBinding, fail, reply } from './server.ts'
import type { SignIn } from './sign-in.ts'

/** A client has this long for its handshake and for its headers, in milliseconds, and this many may be connected. */
const HANDSHAKE_TIMEOUT_MS = 5_000
const HEADERS_TIMEOUT_MS = 10_000
const CONNECTIONS_MAX = 256

export interface SecureOptions {
  /** IP address to listen on, and port; 0 is any free one. */
  readonly host: string
  readonly port: number
  readonly certificates: Certificates
  readonly names: LeafNames
  readonly signIn: SignIn
  readonly control: Pick<ControlBinding, 'handle'>
  readonly audit: Audit
}

export interface SecureControl {
  readonly port: number
  stop(): Promise<void>
}

/** @throws CloudburstError CB_PORT_TAKEN */
export async function serveSecurely(options: SecureOptions): Promise<SecureControl> {
  const { certificates, host, port: wanted } = options
  const deny = sparingly(options.audit, Date.now)
  const context = () => ({ cert: certificates.current.certificate, key: certificates.current.key, minVersion: 'TLSv1.3' as const })
  const server = createServer(
    { ...context(), handshakeTimeout: HANDSHAKE_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: 0 },
    (request, response) => void answer(options, deny, port, request, response)
  )
  server.maxConnections = CONNECTIONS_MAX
  const off = certificates.onRenew(() => server.setSecureContext(context()))
  await new Promise<void>((resolve, reject) => {
    server.once('error', error =>
      reject(new CloudburstError('CB_PORT_TAKEN', `the control API cannot listen on ${host} port ${wanted}: ${error.message}`))
    )
    server.listen(wanted, host, resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    stop: async () => {
      off()
      await new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    }
  }
}

async function answer(
  options: SecureOptions,
  deny: (entry: AuditEntry) => void,
  port: number,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  response.setHeader('strict-transport-security', 'max-age=31536000')
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('content-security-policy', "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
  response.setHeader('referrer-policy', 'no-referrer')
  try {
    checkSite(options, port, request)
    if (request.url === '/api/v1/sign-in' && request.method === 'POST') return reply(response, await signedIn(options, request))
    checkToken(options, request)
    await options.control.handle(request, response)
  } catch (error) {
    const from = request.socket.remoteAddress ?? 'somewhere'
    const reason = error instanceof Error ? error.message : String(error)
    deny({ decision: 'deny', peer: `https from ${from}`, reason })
    fail(response, error)
  }
}

/** Against pages of other sites, and names that were made to lead here (DNS rebinding). */
function checkSite({ names }: SecureOptions, port: number, { headers, method }: IncomingMessage): void {
  const host = headers.host ?? ''
  const known = [...names.hosts, ...names.addresses.map(address => (address.includes(':') ? `[${address}]` : address))]
  if (!known.some(name => host.toLowerCase() === `${name.toLowerCase()}:${port}`)) throw denied('the request is for another host')
  if (headers.origin !== undefined && headers.origin.toLowerCase() !== `https://${host.toLowerCase()}`) {
    throw denied('the request comes from a page of another site')
  }
  const type = headers['content-type']?.split(';')[0]?.trim()
  if (method === 'POST' && type !== 'application/json') throw denied('a request is application/json')
}

function checkToken({ signIn }: SecureOptions, { headers }: IncomingMessage): void {
  const [scheme, token] = (headers.authorization ?? '').split(' ')
  if (scheme !== 'Bearer' || token === undefined || !signIn.holds(token)) {
    throw denied('the request is by nobody who has signed in: cloudburst sign-in prints a code')
  }
}

async function signedIn({ signIn, audit }: SecureOptions, request: IncomingMessage): Promise<object> {
  const { code } = (await bodyOf(request)) as { readonly code?: unknown }
  const entered = signIn.enter(typeof code === 'string' ? code : '')
  audit.record({ decision: 'allow', peer: `https from ${request.socket.remoteAddress ?? 'somewhere'}`, reason: 'signed in by code' })
  return entered
}

function denied(reason: string): CloudburstError {
  return new CloudburstError('CB_DENIED', reason, { peer: 'control' })
}
