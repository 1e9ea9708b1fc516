import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { interpolate } from '../../../src/goals/expression/interpolate.ts'
import type { Use } from '../../../src/goals/expression/result.ts'
import type { Plain, Tree } from '../../../src/goals/tree.ts'
import { scope, template } from './make.ts'

const one = (xml: string, x: Plain | Tree, use: Use = 'shell', more = {}): ReturnType<typeof interpolate> =>
  interpolate(template(xml), scope({ x }, more), use)
const bare = '<get>goal.x</get>'
const quoted = '<get quote="shell">goal.x</get>'
const env = '<get as="env">goal.x</get>'

const hostile = [
  "it's",
  'a b',
  'a\nb',
  '$(id)',
  '`id`',
  '"; id; "',
  '$HOME',
  '*',
  '~',
  'a;b',
  'a|b',
  '&',
  '<x',
  '\\',
  '!',
  '#x',
  "'; id; '",
  '(x)',
  '{a,b}',
  'ünï',
  '\t'
]

describe('an unquoted value in a command', () => {
  for (const value of ['a', '/srv/x_1.txt', 'u@h:80', '50%', 'a+b=c,d', '', 7, true]) {
    it(`may be ${JSON.stringify(value)}`, () => assert.deepEqual(one(`echo ${bare}`, value).errors, []))
  }
  for (const value of hostile) {
    it(`may not be ${JSON.stringify(value)}, and the error names both ways out`, () => {
      const { errors } = one(`echo ${bare}`, value)
      assert.match(errors[0]!.message, /goal\.x is '.*quote="shell".*as="env"/s)
    })
  }
  it('may not be taken for an option', () => {
    assert.match(one(`rm ${bare}`, '-rf').errors[0]!.message, /would be read as an option/)
    assert.deepEqual(one(`rm a${bare}`, '-rf').errors, [])
  })
  it('may not follow a $ or a backslash', () => {
    assert.equal(one(`echo $${bare}`, 'HOME').errors.length, 1)
    assert.equal(one(`echo \\${bare}`, 'n').errors.length, 1)
  })
  it('must be defined, except in a plan', () => {
    assert.match(one(`echo ${bare}`, null).errors[0]!.message, /goal\.x is undefined/)
    const planned = one(`echo ${bare}`, null, 'shell', { inPlan: true })
    assert.deepEqual([planned.show, planned.unknown, planned.errors], ['echo ${goal.x}', true, []])
  })
  it('is shown by its path while it is not known', () => {
    const { show, unknown, errors } = one(`echo ${bare}`, { unknown: true })
    assert.deepEqual([show, unknown, errors], ['echo ${goal.x}', true, []])
  })
  it('cannot be a struct', () => assert.match(one(bare, { a: 1 }).errors[0]!.message, /goal\.x is a struct, not text/))
  it('cannot contain NUL', () => assert.match(one(quoted, 'a\0b').errors[0]!.message, /NUL/))
})

describe('a quoted value', () => {
  it('reaches the command byte for byte', function () {
    this.timeout(20_000)
    fc.assert(
      fc.property(
        fc
          .oneof(fc.constantFrom(...hostile), fc.string({ unit: 'binary', maxLength: 40 }))
          .filter(text => !text.includes('\0') && Buffer.from(text).toString() === text),
        value => {
          const { text, errors } = one(`printf %s ${quoted}`, value)
          assert.deepEqual(errors, [])
          assert.equal(execFileSync('/bin/sh', ['-c', text], { encoding: 'utf8' }), value)
        }
      ),
      { numRuns: 60 }
    )
  })

  for (const text of [
    `"${quoted}"`,
    `'${quoted}'`,
    `\`echo ${quoted}\``,
    `cat &lt;&lt;E\n${quoted}\nE`,
    `\\${quoted}`,
    `$${quoted}`,
    `true # ${quoted}`,
    `\${a:-${quoted}}`
  ]) {
    it(`is refused where its quotes would not hold: ${text}`, () =>
      assert.match(one(text, 'x').errors[0]!.message, /brings its own quotes|stands after/))
  }
  for (const text of [`"$(echo ${quoted})"`, `a "b" ${quoted}`, `a 'b' ${quoted}`, `# it's\n${quoted}`, `x=${quoted}`]) {
    it(`may stand in ${JSON.stringify(text)}`, () => assert.deepEqual(one(text, "it's").errors, []))
  }
})

describe('a value in the environment', () => {
  it('is expanded by the shell, once, whatever it holds', () => {
    for (const value of hostile) {
      for (const text of [`printf %s ${env}`, `printf %s "${env}"`]) {
        const made = one(text, value)
        assert.deepEqual(made.errors, [])
        assert.equal(execFileSync('/bin/sh', ['-c', made.text], { encoding: 'utf8', env: made.env }), value)
      }
    }
  })
  it('is refused where nothing expands it', () => assert.equal(one(`echo '${env}'`, 'x').errors.length, 1))
  it('cannot pass a prefix', () => assert.match(one(env, 'x', 'prefixed').errors[0]!.message, /does not pass the prefix/))
  it('keeps apart paths that sound alike', () => {
    const made = interpolate(
      template('<get as="env">goal.a_b</get> <get as="env">goal.a.b</get>'),
      scope({ a_b: '1', a: { b: '2' } }),
      'shell'
    )
    assert.deepEqual(made.env, { CB_GOAL_A_B: '1', CB_GOAL_A_B_2: '2' })
  })
})

describe('quote="none"', () => {
  const raw = '<get quote="none">goal.x</get>'
  it("is for the program's own values only", () => {
    assert.match(one(raw, 'a b').errors[0]!.message, /only the program's own values/)
    assert.match(one(raw, 'a b', 'shell', { sources: { 'goal.x': 'command line' } }).errors[0]!.message, /command line/)
    assert.deepEqual(one(raw, 'a b', 'shell', { sources: { 'goal.x': 'default, p.xml:1' } }).errors, [])
    const instances = new Map<string, Tree>([['S', { fields: { o: { value: '-a -b' } } }]])
    assert.deepEqual(interpolate(template('<get quote="none">S.o</get>'), scope({}, { instances }), 'shell').text, '-a -b')
  })
  it('is lost by a value that a step has written', () => {
    const place = scope({ x: 'a b' }, { sources: { 'goal.x': 'default, p.xml:1' } })
    place.write(['goal', 'x'], { value: 'c; d' })
    assert.equal(interpolate(template(raw), place, 'shell').errors.length, 1)
  })
})

describe('a secret', () => {
  const key: Tree = { type: 'password', value: 'hush hush' }
  it('reaches a command by its environment and is never shown', () => {
    const made = one(`login ${bare}`, key)
    assert.equal(made.text, 'login "${CB_GOAL_X}"')
    assert.deepEqual([made.show, made.env, made.errors], ['login ***', { CB_GOAL_X: 'hush hush' }, []])
    assert.ok(!JSON.stringify(made.reads).includes('hush'))
  })
  for (const use of ['argument', 'prefixed'] as const) {
    it(`is refused as part of ${use} text`, () => {
      const made = one(`-p${bare}`, key, use)
      assert.match(made.errors[0]!.message, /list of processes/)
      assert.ok(!JSON.stringify(made).includes('hush'))
    })
  }
  it('is in the text of a private file, and not in what is shown of it', () => {
    const made = one(`pw=${bare}`, key, 'text')
    assert.deepEqual([made.text, made.show], ['pw=hush hush', 'pw=***'])
  })
  it('that is sealed is asked for when it is used', () => {
    const made = one(bare, { sealed: 'k1' }, 'text', { unseal: (tree: Tree) => `from ${tree.sealed}` })
    assert.equal(made.text, 'from k1')
    const query = { kind: 'secret', sealed: 'k1' } as const
    assert.deepEqual(one(bare, { sealed: 'k1' }, 'text').wanted, [query])
    const facts = new Map([[JSON.stringify(query), { kind: 'text', value: undefined } as const]])
    assert.match(one(bare, { sealed: 'k1' }, 'text', { facts }).errors[0]!.message, /cannot be had now/)
  })
})

describe('an argument of a prefix', () => {
  it('may hold anything', () => {
    for (const value of hostile)
      assert.deepEqual(one(`u@${bare}`, value, 'argument'), { ...one(`u@${bare}`, value, 'argument'), text: `u@${value}`, errors: [] })
  })
  it('cannot turn into an option', () =>
    assert.match(one(bare, '-oProxyCommand=id', 'argument').errors[0]!.message, /option of the prefix/))
})

describe('a localFilePath', () => {
  it('has its ~ expanded when home is known', () => {
    const path: Tree = { type: 'localFilePath', value: '~/key' }
    assert.deepEqual(one(bare, path, 'argument').wanted, [{ kind: 'env', name: 'HOME' }])
    const facts = new Map([['{"kind":"env","name":"HOME"}', { kind: 'text', value: '/home/u' }]])
    assert.equal(one(bare, path, 'argument', { facts }).text, '/home/u/key')
  })
})
