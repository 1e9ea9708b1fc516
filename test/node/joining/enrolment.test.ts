import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openGrant } from '../../../src/crypto/grant.ts'
import { generateIdentity } from '../../../src/crypto/identity.ts'
import { openRevocations } from '../../../src/crypto/revocation.ts'
import { type Home, resolveHome } from '../../../src/node/home.ts'
import { enrollerOf, takeBack } from '../../../src/node/joining/enrolment.ts'
import { initAuthority, openAuthority } from '../../../src/node/permissions/authority.ts'
import { addAuthority } from '../../../src/node/permissions/permissions.ts'
import { readPermissions } from '../../../src/node/permissions/read.ts'
import { temporaryDirectory } from '../store/temporary-directory.ts'

describe('enrolment by an authority', () => {
  const directory = temporaryDirectory()
  const { peer } = generateIdentity()
  let home: Home

  beforeEach(() => {
    home = resolveHome(directory())
    mkdirSync(home.authorities, { recursive: true, mode: 0o700 })
  })

  it('is none where no authority of this home may grant anything here', () => {
    assert.equal(enrollerOf(home, undefined), undefined)
    const { name, identity } = initAuthority(home.authorities, 'ops')
    assert.equal(enrollerOf(home, undefined), undefined)
    writeFileSync(home.permissions, `<permissions><authority name="${name}" key="${identity.peer}"/></permissions>`)
    assert.equal(enrollerOf(home, undefined), undefined)
    assert.throws(() => enrollerOf(home, 'ops'), { code: 'CB_USAGE' })
  })

  it('asks which of several', () => {
    believing('ops', 'dev')
    assert.throws(() => enrollerOf(home, undefined), /--authority dev or ops/)
    assert.equal(enrollerOf(home, 'dev')?.name, 'dev')
  })

  it('issues one grant to a node, however often it is asked, within the ceiling', () => {
    believing('ops')
    const first = enrollerOf(home, undefined)?.grantFor(peer, 'web1') ?? ''
    assert.equal(enrollerOf(home, undefined)?.grantFor(peer, 'web1'), first)
    assert.equal(openAuthority(home.authorities, 'ops').book.issued.length, 1)
    const { subject, email, allows } = openGrant(Buffer.from(first))
    assert.deepEqual([subject, email, allows[0]?.capabilities], [peer, 'node@web1', ['agency:hello', 'goal:dispatch']])
    const more = enrollerOf(home, undefined)?.grantFor(peer, 'web1', ['node:deliver', 'node:shell']) ?? ''
    assert.deepEqual(openGrant(Buffer.from(more)).allows[0]?.capabilities, ['agency:hello', 'goal:dispatch', 'node:deliver'])
  })

  it('is taken back as a whole, and only from who has it', () => {
    believing('ops')
    enrollerOf(home, undefined)?.grantFor(peer, 'web1')
    assert.deepEqual(takeBack(home, generateIdentity().peer), [])
    const [list = ''] = takeBack(home, peer)
    assert.equal(openRevocations(Buffer.from(list)).revoked[0]?.subject, peer)
    assert.deepEqual(takeBack(home, peer), [])
  })

  it('makes the new node believe in the authority once, and in nothing else', () => {
    believing('ops')
    const element = enrollerOf(home, undefined)?.element ?? ''
    const there = join(directory(), 'there.xml')
    for (let time = 0; time < 2; time++) addAuthority(there, element)
    const { authorities, permits } = readPermissions(readFileSync(there, 'utf8'), there)
    assert.equal(authorities.filter(({ name }) => name === 'ops').length, 1)
    assert.equal(permits.length, 0)
    for (const wrong of ['', '<authority name="x"/>', `${element}${element.replace('ops', 'other')}`, `${element}<permit/>`])
      assert.throws(() => addAuthority(there, wrong), { code: 'CB_PERMISSIONS_INVALID' })
  })

  function believing(...names: readonly string[]): void {
    const lines = names.map(name => {
      const { identity } = initAuthority(home.authorities, name)
      return `<authority name="${name}" key="${identity.peer}" capability="agency:hello goal:dispatch node:deliver"/>`
    })
    writeFileSync(home.permissions, `<permissions>${lines.join('')}</permissions>`)
  }
})
