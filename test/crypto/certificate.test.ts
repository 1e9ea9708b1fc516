import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import {
  boundPeer,
  type Certified,
  isGood,
  issueLeaf,
  LEAF_LIFETIME_MS,
  makeCertificateAuthority,
  renewalOf
} from '../../src/crypto/certificate.ts'
import { generateIdentity } from '../../src/crypto/identity.ts'
import { CloudburstError } from '../../src/errors.ts'
import { skip } from '../skip.ts'

const now = Date.now()
const identity = generateIdentity()
const names = { hosts: ['localhost', 'node1.example.org'], addresses: ['127.0.0.1', '::1'] }

function isRefused(error: unknown): boolean {
  return error instanceof CloudburstError && error.code === 'CB_SIGNATURE_INVALID'
}

describe('a certificate of the control API', function () {
  this.timeout(20_000)
  let directory: string
  let authority: Certified
  let leaf: Certified
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'tls-'))
    authority = makeCertificateAuthority('node1', now)
    leaf = issueLeaf(authority, identity, names, now)
    writeFileSync(join(directory, 'ca.pem'), authority.certificate)
    writeFileSync(join(directory, 'leaf.pem'), leaf.certificate)
  })
  after(() => rmSync(directory, { recursive: true, force: true }))

  it('is good by node:crypto, with its names and its life', () => {
    const certificate = new X509Certificate(leaf.certificate)
    assert.ok(isGood(leaf, authority, now))
    assert.equal(isGood(leaf, authority, now + LEAF_LIFETIME_MS + 1), false)
    assert.equal(isGood(leaf, makeCertificateAuthority('node1', now), now), false)
    for (const name of names.hosts) assert.equal(certificate.checkHost(name), name)
    for (const address of names.addresses) assert.equal(certificate.checkIP(address), address)
    assert.equal(certificate.ca, false)
    assert.equal(new X509Certificate(authority.certificate).ca, true)
    const life = Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)
    assert.equal(renewalOf(leaf.certificate), Date.parse(certificate.validFrom) + (life * 2) / 3)
  })

  it('is bound to the peer id, and to no other', () => {
    assert.equal(boundPeer(leaf.certificate), identity.peer)
    assert.throws(() => boundPeer(authority.certificate), isRefused)
    assert.throws(() => boundPeer('nonsense'), isRefused)
    const der = Buffer.from(new X509Certificate(leaf.certificate).raw)
    const other = issueLeaf(authority, generateIdentity(), names, now)
    assert.notEqual(boundPeer(other.certificate), identity.peer)
    // The binding of one leaf moved into another: its signature is over another key.
    const moved = Buffer.from(new X509Certificate(other.certificate).raw)
    const mark = Buffer.from('04620460', 'hex')
    der.copy(moved, moved.indexOf(mark) + 4, der.indexOf(mark) + 4, der.indexOf(mark) + 100)
    assert.throws(() => boundPeer(moved), isRefused)
  })

  it('is good by openssl', function () {
    if (spawnSync('openssl', ['version']).error !== undefined) skip(this, 'needs openssl')
    const said = spawnSync('openssl', ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.pem', 'leaf.pem'], {
      cwd: directory,
      encoding: 'utf8'
    })
    assert.equal(said.stdout, 'leaf.pem: OK\n', said.stderr)
  })

  describe('on a server', () => {
    let server: ReturnType<typeof createServer>
    let port: number
    before(async () => {
      server = createServer({ cert: leaf.certificate, key: leaf.key, minVersion: 'TLSv1.3' }, (_request, response) =>
        response.end('served')
      )
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      port = (server.address() as { port: number }).port
    })
    after(() => void server.close())

    it('is good for node, over TLS 1.3, and tells the peer id', async () => {
      const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: authority.certificate })
      await once(socket, 'secureConnect')
      assert.deepEqual([socket.authorized, socket.getProtocol()], [true, 'TLSv1.3'])
      assert.equal(boundPeer(socket.getPeerCertificate().raw), identity.peer)
      socket.destroy()
    })

    it('is not spoken in TLS 1.2', async () => {
      const socket = connect({ port, host: '127.0.0.1', ca: authority.certificate, maxVersion: 'TLSv1.2' })
      const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
      assert.match(error.message, /protocol version|EPROTO/)
    })

    it('is good for curl', async function () {
      if (spawnSync('curl', ['--version']).error !== undefined) skip(this, 'needs curl')
      const { spawn } = await import('node:child_process')
      const curl = spawn('curl', ['-sS', '--tlsv1.3', '--cacert', join(directory, 'ca.pem'), `https://localhost:${port}/`], {
        env: { ...process.env, no_proxy: '*' }
      })
      let said = ''
      curl.stdout.on('data', (chunk: Buffer) => {
        said += chunk
      })
      const [exit] = (await once(curl, 'close')) as [number]
      assert.deepEqual([exit, said], [0, 'served'])
    })
  })
})
