import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { targetOf } from '../../../src/node/delivery/target.ts'
import { quoted, scripted } from '../../../src/node/delivery/remote.ts'

describe('a host to deliver to', () => {
  let directory: string
  let config: string

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'cb-target-'))
    config = join(directory, 'config')
    writeFileSync(
      config,
      [
        'Host web*',
        '  HostName %h.example.org',
        '  Port 2222',
        '  User admin',
        'Host inner',
        '  ProxyJump ops@gate:2200',
        'Host odd',
        '  ProxyCommand nc %h %p',
        'Host signed',
        '  CertificateFile /tmp/cert.pub',
        'Match user ann',
        '  HostKeyAlias annas',
        ''
      ].join('\n')
    )
  })

  after(() => {
    rmSync(directory, { recursive: true })
  })

  it('is what the configuration of ssh says, unless the word says otherwise', async () => {
    const { host, user, port } = await targetOf('web1', { config })
    assert.deepEqual({ host, user, port }, { host: 'web1.example.org', user: 'admin', port: 2222 })
    const other = await targetOf('bob@web1:22', { config })
    assert.deepEqual([other.user, other.port], ['bob', 22])
    assert.equal((await targetOf('bob@web1', { config, port: 23 })).port, 23)
  })

  it('is looked up for its user, as Match does', async () => {
    assert.equal((await targetOf('ann@host', { config })).alias, 'annas')
    assert.equal((await targetOf('bob@host', { config })).alias, undefined)
  })

  it('is reached over the hosts on the way', async () => {
    const { jumps } = await targetOf('carol@inner', { config, port: 5 })
    assert.deepEqual(
      jumps.map(({ host, user, port }) => ({ host, user, port })),
      [{ host: 'gate', user: 'ops', port: 2200 }]
    )
  })

  it('is left to ssh where only that can reach it', async () => {
    assert.equal((await targetOf('odd', { config })).needsSsh, 'proxycommand')
    assert.equal((await targetOf('signed', { config })).needsSsh, 'certificatefile')
    assert.equal((await targetOf('web1', { config })).needsSsh, undefined)
  })

  it('is no option and no two words', async () => {
    for (const word of ['-oProxyCommand=true', 'a b', '', '-l@host', 'user@', 'a@b@c'])
      await assert.rejects(targetOf(word, { config }), { code: 'CB_USAGE' }, word)
  })
})

describe('words for a shell there', () => {
  it('stay one word each, whatever is in them', () => {
    assert.equal(quoted('plain-word/1'), 'plain-word/1')
    assert.equal(quoted("it's $HOME; rm"), `'it'\\''s $HOME; rm'`)
    assert.equal(quoted(''), "''")
    assert.equal(scripted('echo "$1"', ['a b']), `sh -c 'echo "$1"' cloudburst 'a b'`)
  })
})
