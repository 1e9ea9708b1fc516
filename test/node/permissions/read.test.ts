import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { capabilities } from '../../../src/crypto/capability.ts'
import { generateIdentity } from '../../../src/crypto/identity.ts'
import { readPermissions } from '../../../src/node/permissions/read.ts'
import { permissionsText } from '../../../src/node/permissions/sample.ts'

const peer = generateIdentity().peer
const AUTHORITY = '<authority name="local"/>'
const permit = (attributes: string): string => `<permissions>${AUTHORITY}\n<permit ${attributes}/></permissions>`
const GOOD = `authority="local" email="a@example.org" capability="agency:hello" lifetime="PT8H"`

describe('permissions.xml', () => {
  it('reads a permit with everything', () => {
    const { permits } = readPermissions(
      permit(`${GOOD.replace('agency:hello', ' agency:hello\n goal:dispatch')} peer="${peer}" programs="p1 p2" goals="*" vars="x"`),
      'p.xml'
    )
    const [{ place, ...only }] = permits as [(typeof permits)[number]]
    assert.deepEqual(place, { file: 'p.xml', line: 2, col: 1 })
    assert.deepEqual(only, {
      authority: 'local',
      email: 'a@example.org',
      capabilities: ['agency:hello', 'goal:dispatch'],
      peer,
      programs: ['p1', 'p2'],
      vars: ['x'],
      lifetime: { kind: 'duration', ms: 8 * 3_600_000 }
    })
  })

  const cases: ReadonlyArray<[string, string, string]> = [
    ['another root', '<permission/>', 'p.xml:1:1: the root element is <permission>, not <permissions>'],
    [
      'an unknown element',
      '<permissions>\n <permitt/></permissions>',
      'p.xml:2:2: <permissions>: unknown element <permitt> (did you mean permit?)'
    ],
    ['an unknown attribute', permit(`${GOOD} goal="x"`), 'p.xml:2:91: <permit>: unknown attribute goal (did you mean goals?)'],
    ['a missing attribute', permit('authority="local" email="a@b" lifetime="PT1H"'), 'p.xml:2:1: <permit> needs the attribute capability'],
    [
      'an unknown capability',
      permit(GOOD.replace('agency:hello', 'goal:dispach')),
      'p.xml:2:49: goal:dispach is not a capability (did you mean goal:dispatch?)'
    ],
    ['a capability for everything', permit(GOOD.replace('agency:hello', '*')), 'p.xml:2:49: capability * is not allowed: name each one'],
    ['no capability', permit(GOOD.replace('agency:hello', ' ')), 'p.xml:2:49: <permit>: the attribute capability is empty'],
    ['an unknown authority', permit(GOOD.replace('"local"', '"locl"')), 'p.xml:2:9: no <authority> is named locl (did you mean local?)'],
    ['no e-mail address', permit(GOOD.replace('a@example.org', 'a')), 'p.xml:2:27: a is not an e-mail address'],
    ['no peer id', permit(`${GOOD} peer="12D3KooWx"`), 'p.xml:2:91: 12D3KooWx is not the peer id of a usable Ed25519 key'],
    [
      'a lifetime in months',
      permit(GOOD.replace('PT8H', 'P1M')),
      'p.xml:2:75: lifetime is an ISO 8601 interval or duration, such as 2026-01-01T00:00:00Z/2027-01-01T00:00:00Z or PT8H'
    ],
    ['text', '<permissions>hello</permissions>', 'p.xml:1:14: <permissions> holds no text'],
    ['an authority twice', `<permissions>${AUTHORITY}${AUTHORITY}</permissions>`, 'p.xml:1:39: the authority local is declared twice'],
    ['a DOCTYPE', '<!DOCTYPE x><permissions/>', 'p.xml:1:1: DOCTYPE is not allowed']
  ]
  for (const [what, text, message] of cases) {
    it(`is refused with ${what}, at its place`, () => {
      assert.throws(() => readPermissions(text, 'p.xml'), { message })
    })
  }

  it('has a sample that permits nobody and names every capability', () => {
    const sample = permissionsText()
    assert.deepEqual(readPermissions(sample, 'permissions.xml').permits, [])
    for (const capability of capabilities) assert.ok(sample.includes(`\n         ${capability}`), capability)
  })

  it('is in the repository as that sample', () => {
    assert.equal(readFileSync('permissions.xml', 'utf8'), permissionsText())
  })
})
