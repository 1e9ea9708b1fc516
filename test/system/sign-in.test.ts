import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { boundPeer } from '../../src/crypto/certificate.ts'
import type { NodeInfo, SignInInfo } from '../../src/node/control/contract.ts'
import { type Mesh, mesh } from './mesh.ts'

describe('the control API of a daemon, over the network,', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(1, { started: false })
    const { neighborhood } = m.node(1).home
    const text = readFileSync(neighborhood, 'utf8')
    writeFileSync(neighborhood, text.replace(/^ {2}<mdns/m, '  <control listen="/ip4/127.0.0.1/tcp/0"/>\n  <mdns'))
    await m.node(1).start()
  })
  after(() => m?.stop())

  const post = async (url: URL, path: string, body: object, ca: string, token = '') => {
    const asking = request(new URL(path, url), {
      method: 'POST',
      ca,
      agent: false,
      headers: { 'content-type': 'application/json', ...(token !== '' && { authorization: `Bearer ${token}` }) }
    })
    const [response] = (await once(asking.end(JSON.stringify(body)), 'response')) as [IncomingMessage]
    const leaf = (response.socket as TLSSocket).getPeerCertificate().raw
    let text = ''
    for await (const chunk of response) text += chunk
    return { status: response.statusCode, body: JSON.parse(text), leaf }
  }

  it('answers whoever signs in with a code from the socket, and proves whose it is', async () => {
    const info = await m.node(1).json<SignInInfo>('sign-in')
    const ca = readFileSync(info.authority, 'utf8')
    const url = new URL(info.addresses.find(address => address.includes('localhost'))!)
    const refused = await post(url, '/api/v1/calls/hello', {}, ca)
    assert.deepEqual([refused.status, refused.body.code], [403, 'CB_DENIED'])
    const entered = await post(url, '/api/v1/sign-in', { code: info.code }, ca)
    assert.equal(entered.status, 200)
    assert.equal(boundPeer(entered.leaf), m.node(1).peer)
    const said = await post(url, '/api/v1/calls/hello', {}, ca, entered.body.token)
    assert.deepEqual([said.status, (said.body as NodeInfo).name], [200, 'n1'])
    assert.equal((await post(url, '/api/v1/sign-in', { code: info.code }, ca)).status, 403, 'a second time')
    const audit = await m.node(1).json<readonly { decision: string; reason: string }[]>('audit')
    assert.ok(audit.some(({ decision, reason }) => decision === 'allow' && reason === 'signed in by code'))
    assert.ok(audit.some(({ decision }) => decision === 'deny'))
    assert.equal((await m.node(1).cli('audit', 'verify')).exit, 0)
  })

  it('is told of by sign-in when it is off', async () => {
    const { neighborhood } = m.node(1).home
    writeFileSync(neighborhood, readFileSync(neighborhood, 'utf8').replace('<control listen="/ip4/127.0.0.1/tcp/0"/>', ''))
    await m.node(1).restart()
    const said = await m.node(1).cli('sign-in')
    assert.equal(said.exit, 64)
    assert.match(said.stderr, /neighborhood\.xml has no <control listen=/)
  })
})
