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
    [
      'a ceiling of an authority without key',
      '<permissions><authority name="a" capability="agency:hello"/></permissions>',
      'p.xml:1:34: capability is about the grants of a, which signs none without a key'
    ],
    [
      'bounds of an authority that may grant nothing',
      `<permissions><authority name="a" key="${peer}" goals="x"/></permissions>`,
      'p.xml:1:93: goals bounds what grants of a may do: it goes with capability'
    ],
    [
      'a permit above the ceiling',
      `<permissions><authority name="a" key="${peer}" capability="agency:hello"/><permit authority="a" email="a@b" capability="node:shell" lifetime="PT1H"/></permissions>`,
      'p.xml:1:154: node:shell is above the ceiling of the authority a'
    ],
    [
      'freshness without anybody to hear from',
      permit(`${GOOD} fresh="PT1H"`),
      'p.xml:2:91: fresh is about hearing from local, which has no key to be heard by'
    ],
    [
      'freshness that clocks cannot keep',
      `<permissions><authority name="a" key="${peer}" fresh="PT1M"/></permissions>`,
      'p.xml:1:93: fresh is at least PT5M: clocks are apart by minutes'
    ],
    ['no number of goals', permit(`${GOOD} concurrent="0"`), 'p.xml:2:91: concurrent is a number of goals from 1 on, not 0'],
    [
      'a test that fails',
      `<permissions>${AUTHORITY}<permit ${GOOD}/><tests><deny who="*" capability="agency:hello"/></tests></permissions>`,
      'p.xml:1:137: this test fails: the permit in line 1 allows a@example.org agency:hello'
    ],
    [
      'a test of what nobody permits',
      `<permissions>${AUTHORITY}<tests><allow who="a@b" capability="goal:plan" goal="x"/></tests></permissions>`,
      'p.xml:1:46: this test fails: no permit allows a@b goal:plan for goal x'
    ],
    [
      'a test of what an authority might grant',
      `<permissions><authority name="a" key="${peer}" capability="node:shell"/><tests><deny who="a@b" capability="node:shell"/></tests></permissions>`,
      'p.xml:1:125: this test fails: a may grant node:shell to anybody'
    ],
    ['a DOCTYPE', '<!DOCTYPE x><permissions/>', 'p.xml:1:1: DOCTYPE is not allowed']
  ]
  for (const [what, text, message] of cases) {
    it(`is refused with ${what}, at its place`, () => {
      assert.throws(() => readPermissions(text, 'p.xml'), { message })
    })
  }

  it('reads an authority with its ceiling, and tests that hold', () => {
    const ceiling = 'capability="goal:dispatch" lifetime="P7D" goals="deploy" on="role=web,os=linux web2" concurrent="3" fresh="PT1H"'
    const tests = '<tests><deny who="*" capability="node:shell"/><allow who="a@b" capability="goal:dispatch" goal="deploy"/></tests>'
    const waiting = '<permit authority="ops" email="a@b" capability="goal:dispatch" lifetime="PT8H"/>'
    const list = readPermissions(`<permissions><authority name="ops" key="${peer}" ${ceiling}/>${waiting}${tests}</permissions>`, 'p.xml')
    const [{ place: _, ...authority }] = list.authorities as [(typeof list.authorities)[number]]
    assert.deepEqual(authority, {
      name: 'ops',
      key: peer,
      ceiling: { capabilities: ['goal:dispatch'], goals: ['deploy'], on: ['role=web,os=linux', 'web2'], concurrent: 3 },
      lifetimeMs: 7 * 86_400_000,
      fresh: 3_600_000
    })
    assert.equal(list.tests?.length, 2)
  })

  it('has a sample that permits nobody and names every capability', () => {
    const sample = permissionsText()
    assert.deepEqual(readPermissions(sample, 'permissions.xml').permits, [])
    for (const capability of capabilities) assert.ok(sample.includes(`\n         ${capability}`), capability)
  })

  it('is in the repository as that sample', () => {
    assert.equal(readFileSync('permissions.xml', 'utf8'), permissionsText())
  })
})
