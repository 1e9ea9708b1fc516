import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openVault } from '../../../src/node/secrets/vault.ts'

describe('a vault', () => {
  let home: string

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cb-'))
  })

  afterEach(() => rmSync(home, { recursive: true, force: true }))

  it('gives a reference that tells nothing, and the secret for it, after a restart too', async () => {
    const directory = join(home, 'sealed')
    const sealed = openVault(directory).seal('GOAL', 'hush hush')
    assert.match(sealed, /^kept:GOAL\/[0-9a-f]{24}$/)
    assert.equal(await openVault(directory).open(sealed), 'hush hush')
  })

  it('keeps each in a file that nobody else can read', () => {
    const directory = join(home, 'sealed')
    openVault(directory).seal('GOAL', 'hush')
    assert.equal(statSync(directory).mode & 0o777, 0o700)
    for (const name of readdirSync(directory)) assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600, name)
  })

  it('gives the same secret the same reference, and another node gives another', () => {
    const vault = openVault(join(home, 'a'))
    assert.equal(vault.seal('G', 'hush'), vault.seal('G', 'hush'))
    assert.notEqual(vault.seal('G', 'hush'), openVault(join(home, 'b')).seal('G', 'hush'))
  })

  it('forgets what was kept for a goal', async () => {
    const vault = openVault(join(home, 'sealed'))
    const sealed = vault.seal('GOAL', 'hush')
    vault.drop('GOAL')
    assert.equal(await vault.open(sealed), undefined)
  })

  it('looks references up each time they are used', async () => {
    const vault = openVault(join(home, 'sealed'))
    const file = join(home, 'pw')
    writeFileSync(file, 'one\n')
    assert.equal(await vault.open(`file:${file}`), 'one')
    writeFileSync(file, 'two')
    assert.equal(await vault.open(`file:${file}`), 'two')
    assert.equal(await vault.open(`command:cat ${file}`), 'two')
    assert.equal(await vault.open('command:exit 1'), undefined)
    assert.equal(await vault.open('env:CB_NOT_THERE'), undefined)
    assert.equal(readFileSync(file, 'utf8'), 'two')
  })
})
