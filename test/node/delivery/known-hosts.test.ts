import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fingerprint, judge, knownTypes, remember } from '../../../src/node/delivery/known-hosts.ts'

const key = keyOf('ssh-ed25519', 1)
const other = keyOf('ssh-ed25519', 2)
const line = (names: string, bytes: Buffer, marker = ''): string => `${marker}${names} ssh-ed25519 ${bytes.toString('base64')}\n`

describe('known hosts', () => {
  let directory: string
  let file: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cb-known-'))
    file = join(directory, 'known_hosts')
  })

  afterEach(() => {
    rmSync(directory, { recursive: true })
  })

  const table: readonly [string, string, string, number, string][] = [
    ['the same key', line('web1', key), 'web1', 22, 'known'],
    ['a name in other letters', line('WEB1', key), 'web1', 22, 'known'],
    ['another key', line('web1', other), 'web1', 22, 'changed'],
    ['another host', line('web2', key), 'web1', 22, 'unknown'],
    ['another port', line('web1', key), 'web1', 2222, 'unknown'],
    ['the port in brackets', line('[web1]:2222', key), 'web1', 2222, 'known'],
    ['one of several names', line('web1,192.0.2.1', key), '192.0.2.1', 22, 'known'],
    ['a pattern', line('*.example.org', key), 'web1.example.org', 22, 'known'],
    ['a pattern with an exception', line('*.example.org,!web1.example.org', key), 'web1.example.org', 22, 'unknown'],
    ['a dot that is no pattern', line('web.example', key), 'webxexample', 22, 'unknown'],
    ['a hashed name', line(hashed('web1'), key), 'web1', 22, 'known'],
    ['a hashed name of another host', line(hashed('web2'), key), 'web1', 22, 'unknown'],
    ['a revoked key', line('web1', key) + line('*', key, '@revoked '), 'web1', 22, 'revoked'],
    ['an authority of certificates, which is no key', line('web1', key, '@cert-authority '), 'web1', 22, 'unknown'],
    ['a comment', `# ${line('web1', key)}`, 'web1', 22, 'unknown'],
    ['both of two keys', line('web1', other) + line('web1', key), 'web1', 22, 'known']
  ]
  for (const [what, text, host, port, verdict] of table) {
    it(`say ${verdict} of ${what}`, () => {
      writeFileSync(file, text)
      assert.equal(judge([file], host, port, key), verdict)
    })
  }

  it('are unknown where there is no file', () => {
    assert.equal(judge([join(directory, 'none')], 'web1', 22, key), 'unknown')
  })

  it('remember a key, after a line without an end too', () => {
    writeFileSync(file, line('web2', other).trimEnd())
    remember(file, 'web1', 2222, key)
    assert.equal(judge([file], 'web1', 2222, key), 'known')
    assert.equal(judge([file], 'web2', 22, other), 'known')
    assert.equal(readFileSync(file, 'utf8').split('\n').length, 3)
    assert.deepEqual(knownTypes([file], 'web1', 2222), ['ssh-ed25519'])
  })

  it('print fingerprints like ssh', () => {
    assert.match(fingerprint(key), /^SHA256:[\w+/]{43}$/)
  })
})

function keyOf(type: string, fill: number): Buffer {
  const part = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes])
  return Buffer.concat([part(Buffer.from(type)), part(Buffer.alloc(32, fill))])
}

function hashed(name: string): string {
  const salt = randomBytes(20)
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}
