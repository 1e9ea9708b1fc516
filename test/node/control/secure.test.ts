import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { boundPeer, LEAF_LIFETIME_MS, type LeafNames } from '../../../src/crypto/certificate.ts'
import { generateIdentity } from '../../../src/crypto/identity.ts'
import { CloudburstError } from '../../../src/errors.ts'
import { type Certificates, openCertificates } from '../../../src/node/control/certificates.ts'
import { openSecure, type Secure } from '../../../src/node/control/open-secure.ts'
import { type SecureControl, serveSecurely } from '../../../src/node/control/secure.ts'
import { bindControl, type ControlBinding } from '../../../src/node/control/server.ts'
import { CODE_LIFETIME_MS, openSignIn, TOKEN_LIFETIME_MS } from '../../../src/node/control/sign-in.ts'
import { openAudit } from '../../../src/node/permissions/audit.ts'
import { fakeAgency, noLocalCalls } from '../../fakes/agency.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const identity = generateIdentity()
const names: LeafNames = { hosts: ['localhost', 'node1'], addresses: ['127.0.0.1'] }

describe('the control API over the network', function () {
  this.timeout(20_000)
  let directory: string
  let control: ControlBinding
  let secure: SecureControl
  let certificates: Certificates
  let asked: number
  let at = Date.now()
  const signIn = openSignIn(() => at)

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'tls-'))
    control = await bindControl(join(directory, 'socket'))
    const agency = fakeAgency({ agents: () => [] })
    control.serve({
      agency: {
        call: (...words) => {
          asked++
          return agency.call(...words)
        },
        stream: agency.stream
      },
      agencyOf: () => Promise.reject(new CloudburstError('CB_PEER_UNKNOWN', 'no peer')),
      local: noLocalCalls,
      by: { peer: identity.peer, node: 'node1' }
    })
    certificates = openCertificates({ directory: join(directory, 'tls'), identity, name: 'node1', names, now: () => at, log: quiet })
    const audit = openAudit(join(directory, 'audit.log'))
    secure = await serveSecurely({ host: '127.0.0.1', port: 0, certificates, names, signIn, control, audit })
  })
  after(async () => {
    await secure.stop()
    certificates.close()
    await control.stop()
    rmSync(directory, { recursive: true, force: true })
  })
  beforeEach(() => {
    asked = 0
  })

  interface Asking {
    readonly path?: string
    readonly method?: string
    readonly headers?: Record<string, string>
    readonly body?: string
  }
  const send = async ({ path = '/api/v1/calls/agents', method = 'POST', headers = {}, body = '{}' }: Asking) => {
    const asking = request({
      host: '127.0.0.1',
      port: secure.port,
      path,
      method,
      ca: certificates.authority,
      servername: 'localhost',
      agent: false,
      headers: { host: `localhost:${secure.port}`, 'content-type': 'application/json', ...headers }
    })
    const [response] = (await once(asking.end(method === 'GET' ? undefined : body), 'response')) as [IncomingMessage]
    let text = ''
    for await (const chunk of response) text += chunk
    return { status: response.statusCode, headers: response.headers, body: JSON.parse(text) as Record<string, unknown> }
  }
  const enter = async (code: string) => await send({ path: '/api/v1/sign-in', body: JSON.stringify({ code }) })
  const signedIn = async () => ({ authorization: `Bearer ${(await enter(signIn.code().code)).body['token']}` })

  it('serves whoever has signed in by a code, as it was printed or typed', async () => {
    const { code } = signIn.code()
    assert.match(code, /^[0-9A-Z]{13}-[0-9A-Z]{13}$/)
    const { status, body } = await enter(code.toLowerCase().replace('-', ' '))
    assert.equal(status, 200)
    const answer = await send({ headers: { authorization: `Bearer ${body['token']}` } })
    assert.deepEqual([answer.status, answer.body, asked], [200, [], 1])
    assert.match(String(answer.headers['content-security-policy']), /default-src 'self'; frame-ancestors 'none'/)
  })

  it('takes a code once, whoever hurries', async () => {
    const { code } = signIn.code()
    const all = await Promise.all(Array.from({ length: 50 }, () => enter(code)))
    assert.equal(all.filter(({ status }) => status === 200).length, 1)
  })

  it('takes no old code, and no old sign-in', async () => {
    const began = at
    const { code } = signIn.code()
    const headers = await signedIn()
    at = began + CODE_LIFETIME_MS
    assert.equal((await enter(code)).status, 403)
    at = began + TOKEN_LIFETIME_MS
    assert.equal((await send({ headers })).status, 403)
    at = began
    assert.equal((await send({ headers })).status, 200)
  })

  const refused: Readonly<Record<string, (port: number) => Asking>> = {
    'without a sign-in': () => ({ headers: { authorization: '' } }),
    'with a token that is none': () => ({ headers: { authorization: 'Bearer x' } }),
    'with a token as a cookie': () => ({ headers: { authorization: '', cookie: 'token=x' } }),
    'for another host': port => ({ headers: { host: `evil.example.org:${port}` } }),
    'for another port': () => ({ headers: { host: 'localhost:1' } }),
    'from a page of another site': () => ({ headers: { origin: 'https://evil.example.org' } }),
    'from a page of this host without TLS': port => ({ headers: { origin: `http://localhost:${port}` } }),
    'from a page of no site': () => ({ headers: { origin: 'null' } }),
    'as a form': () => ({ headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    'as text': () => ({ headers: { 'content-type': 'text/plain' } })
  }
  for (const [what, asking] of Object.entries(refused)) {
    it(`does nothing for a request ${what}`, async () => {
      const { headers = {} } = asking(secure.port)
      const { status, body } = await send({ headers: { ...(await signedIn()), ...headers } })
      assert.deepEqual([status, body['code'], asked], [403, 'CB_DENIED', 0])
    })
  }

  it('changes nothing by GET', async () => {
    const { status } = await send({ method: 'GET', headers: await signedIn() })
    assert.deepEqual([status, asked], [400, 0])
  })

  it('says who was refused in the audit log', () => {
    assert.match(
      readFileSync(join(directory, 'audit.log'), 'utf8'),
      /"decision":"deny","peer":"https from 127.0.0.1","reason":"the request is for another host"/
    )
  })

  it('is not spoken without TLS', async () => {
    const socket = createConnection(secure.port, '127.0.0.1')
    socket.on('error', () => undefined)
    let said = ''
    socket.on('data', chunk => {
      said += chunk.toString('latin1')
    })
    socket.write(`POST /api/v1/calls/agents HTTP/1.1\r\nhost: localhost:${secure.port}\r\ncontent-length: 0\r\n\r\n`)
    await once(socket, 'close')
    assert.deepEqual([said.includes('200'), asked], [false, 0])
  })

  it('keeps its keys to itself, and its certificates over a restart', () => {
    for (const name of ['ca.key', 'leaf.key']) assert.equal(statSync(join(directory, 'tls', name)).mode & 0o777, 0o600)
    const again = openCertificates({ directory: join(directory, 'tls'), identity, name: 'node1', names, now: () => at, log: quiet })
    assert.equal(again.current.certificate, certificates.current.certificate)
    again.close()
    const renamed = { ...names, hosts: [...names.hosts, 'other'] }
    const other = openCertificates({
      directory: join(directory, 'tls'),
      identity,
      name: 'node1',
      names: renamed,
      now: () => at,
      log: quiet
    })
    assert.notEqual(other.current.certificate, certificates.current.certificate)
    other.close()
    chmodSync(join(directory, 'tls', 'ca.key'), 0o644)
    assert.throws(
      () => openCertificates({ directory: join(directory, 'tls'), identity, name: 'node1', names, now: () => at, log: quiet }),
      /chmod 600/
    )
    chmodSync(join(directory, 'tls', 'ca.key'), 0o600)
  })

  it('has its certificate renewed at two thirds of its life, while it serves', async () => {
    const leafOf = async (): Promise<X509Certificate> => {
      // The clock of this test is not that of the client, which would say that it is not valid yet.
      const socket = connect({ port: secure.port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false })
      await once(socket, 'secureConnect')
      const { raw } = socket.getPeerCertificate()
      socket.destroy()
      return new X509Certificate(raw)
    }
    const began = at
    const first = await leafOf()
    assert.equal(boundPeer(first.raw), identity.peer)
    at = began + (LEAF_LIFETIME_MS * 2) / 3 - 3_600_000
    certificates.look()
    assert.equal((await leafOf()).fingerprint256, first.fingerprint256, 'not before')
    at = began + (LEAF_LIFETIME_MS * 2) / 3
    certificates.look()
    const second = await leafOf()
    assert.notEqual(second.fingerprint256, first.fingerprint256)
    assert.equal(second.issuer, first.issuer)
    assert.ok(Date.parse(second.validTo) > Date.parse(first.validTo))
    at = began
  })

  it('is off unless neighborhood.xml says where', async () => {
    const options = { name: 'node1', identity, directory: join(directory, 'tls2'), control, now: () => at, log: quiet }
    const audit = openAudit(join(directory, 'audit2.log'))
    assert.equal(await openSecure({ ...options, audit, controlListen: undefined }), undefined)
    const opened: Secure | undefined = await openSecure({
      ...options,
      audit,
      controlListen: { host: '127.0.0.1', port: 0, hosts: ['web.example.org'] }
    })
    const { addresses, authority } = opened!.signIn()
    assert.ok(addresses.includes(`https://web.example.org:${opened!.port}/`) && addresses.includes(`https://127.0.0.1:${opened!.port}/`))
    assert.match(readFileSync(authority, 'utf8'), /BEGIN CERTIFICATE/)
    await opened!.stop()
    audit.close()
  })
})
