import assert from 'node:assert/strict'
import fc from 'fast-check'
import { convert } from '../../../src/goals/expression/convert.ts'
import { declared } from '../../../src/goals/expression/declared.ts'
import { getIn, parsePath, setIn, showPath } from '../../../src/goals/expression/path.ts'
import { fromPlain, maskSecrets, toPlain } from '../../../src/goals/expression/plain.ts'
import type { Plain, Tree } from '../../../src/goals/tree.ts'
import { expression, program, scope } from './make.ts'

describe('a path', () => {
  it('is read back as it was shown', () => {
    const name = fc.stringMatching(/^[a-zA-Z_][\w-]{0,8}$/).filter(text => text !== '__proto__')
    const index = fc.nat(1_000_000)
    fc.assert(
      fc.property(name, fc.array(fc.oneof(name, index), { maxLength: 6 }), (top, rest) => {
        const path = [top, ...rest]
        assert.deepEqual(parsePath(showPath(path)), path)
      })
    )
  })
  for (const text of [
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    '[0]',
    'a[',
    'a[x]',
    'a[-1]',
    'a[99999999]',
    'a b',
    'a;b',
    'a.__proto__',
    'a[0]b',
    '1a',
    `a${'.b'.repeat(300)}`
  ]) {
    it(`is not ${JSON.stringify(text.slice(0, 20))}`, () => assert.throws(() => parsePath(text), { code: 'CB_VALUE_INVALID' }))
  }
})

describe('a tree', () => {
  it('is changed at a path and nowhere else, and the old one stays', () => {
    const before = fromPlain({ a: { b: [1, 2] }, c: 3 })
    const after = setIn(before, ['a', 'b', 1], { value: 9 })
    assert.deepEqual(toPlain(after), { a: { b: [1, 9] }, c: 3 })
    assert.deepEqual(toPlain(before), { a: { b: [1, 2] }, c: 3 })
    assert.equal(after.fields!['c'], before.fields!['c'])
    assert.deepEqual(getIn(after, ['a', 'b', 1]), { value: 9 })
  })
  it('takes no field of a scalar, no element past its end', () => {
    assert.throws(() => setIn({ value: 1 }, ['x'], {}), /its parent is a plain value/)
    assert.throws(() => setIn({ items: [] }, [1], {}), /the list has 0 elements/)
    assert.throws(() => setIn({ items: [] }, ['x'], {}), /its parent is a list/)
  })
  it('becomes JSON and comes back', () => {
    const plain = fc.letrec<{ any: Plain }>(tie => ({
      any: fc.oneof(
        { depthSize: 'small' },
        fc.string(),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie('any'), { maxKeys: 3, noNullPrototype: true })
      )
    })).any
    fc.assert(fc.property(plain, value => assert.deepEqual(toPlain(fromPlain(value)), value)))
  })
  it('has its secrets masked, however deep', () => {
    const tree: Tree = { fields: { a: { items: [{ type: 'secret', value: 'hush' }, { sealed: 'hush' }] }, b: { value: 'open' } } }
    assert.ok(!JSON.stringify(maskSecrets(tree)).includes('hush'))
    assert.deepEqual(toPlain(tree), { a: ['***', '***'], b: 'open' })
  })
})

describe('a value of type', () => {
  const cases: [type: string, good: string[], bad: string[]][] = [
    ['int', ['0', '-7', ' 12 '], ['', '1.5', 'x', '1e3', '99999999999999999']],
    ['bool', ['true', 'no', 'False', '1', ''], ['maybe', '2']],
    ['usa.darpa.rfc971.ipv4address', ['10.0.0.1', '255.255.255.255'], ['10.0.0', '256.1.1.1', '1.2.3.4.5', '01.2.3.4', 'a.b.c.d']],
    ['username', ['ann', '_x', 'svc$', 'a.b-c'], ['', '-x', 'a b', '0x', 'a;b']],
    ['localFilePath', ['/x', '~/y', 'a b'], ['', '\0']],
    ['string', ['', 'anything'], []],
    ['NumericVersion3', ['1.2.3'], []]
  ]
  for (const [type, good, bad] of cases) {
    it(`${type} fits or does not`, () => {
      for (const text of good) assert.ok('value' in convert(text, type), text)
      for (const text of bad) assert.ok('misfit' in convert(text, type), text)
    })
  }
})

describe('a scope', () => {
  const instances = new Map<string, Tree>([['Site', { type: 'Site', fields: { port: { type: 'int', value: 80 } } }]])

  it('follows references on the way and at the end', () => {
    const one = scope({ a: { ref: 'goal.b' }, b: { ref: 'Site' } }, { instances })
    assert.equal(one.read(['goal', 'a', 'port'])?.value, 80)
    assert.equal(one.read(['goal', 'a'])?.type, 'Site')
  })
  it('ends at a circle of references', () => {
    const one = scope({ a: { ref: 'goal.b' }, b: { ref: 'goal.a' } })
    assert.equal(one.read(['goal', 'a']), undefined)
    assert.throws(() => one.write(['goal', 'a'], {}), /circle/)
  })
  it('writes where a reference leads, and says so', () => {
    const agent: Record<string, Tree> = { count: { type: 'int', value: 1 } }
    const written: string[] = []
    const one = scope(
      { c: { ref: 'agent.count' } },
      {
        surroundings: { agent: () => agent, host: {}, peer: {} },
        writeAgent: (path, value) => written.push(`${showPath(path)}=${value.value}`)
      }
    )
    assert.deepEqual(one.place(['goal', 'c']), ['agent', 'count'])
    one.write(['goal', 'c'], { value: '2' })
    assert.deepEqual(written, ['agent.count=2'])
  })
  it('sees its own writes to the agent when nobody else takes them', () => {
    const one = scope()
    one.write(['agent', 'x', 'y'], { value: 1 })
    assert.equal(one.read(['agent', 'x', 'y'])?.value, 1)
  })
  it('keeps the type of what it overwrites, and refuses what does not fit', () => {
    const one = scope({ port: { type: 'int', value: 80 } })
    one.write(['goal', 'port'], { value: '8080' })
    assert.deepEqual(one.read(['goal', 'port']), { type: 'int', value: 8080 })
    assert.throws(() => one.write(['goal', 'port'], { value: 'x' }), /goal\.port is of type int: 'x' is not an int/)
  })
  it("does not write the program's state, the host, the peer or other nodes", () => {
    for (const path of [['Site', 'port'], ['host', 'arch'], ['peer', 'id'], ['nodes', 'a'], ['nowhere']]) {
      assert.throws(() => scope({}, { instances }).write(path, { value: 1 }), { code: 'CB_VALUE_INVALID' })
    }
  })
  it('binds a variable anew where it refers to what cannot be written', () => {
    const one = scope({ site: { ref: 'Site' } }, { instances })
    one.write(['goal', 'site'], { value: 'other' })
    assert.equal(one.read(['goal', 'site'])?.value, 'other')
    assert.equal(instances.get('Site')?.fields?.['port']?.value, 80)
  })
  it('holds the current item under its symbol, and passes other writes on', () => {
    const outer = scope({ n: 1 })
    const inner = outer.with('item', { fields: { ip: { value: 'a' } } })
    inner.write(['item', 'ip'], { value: 'b' })
    inner.write(['goal', 'n'], { value: 2 })
    assert.deepEqual([inner.read(['item', 'ip'])?.value, outer.read(['goal', 'n'])?.value, outer.read(['item'])], ['b', 2, undefined])
    assert.equal(outer.with('goal.repeat', { value: 3 }).read(['goal', 'repeat'])?.value, 3)
  })
  it('never takes a name from the prototype of objects', () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
      assert.equal(scope().read(['goal', name]), undefined)
      assert.equal(scope().read([name]), undefined)
    }
  })
})

describe('declared arguments', () => {
  it('are evaluated by value, undefined ones empty', () => {
    const call = expression(
      '<goalCompleted name="sub"><variable name="a" type="int"><get>goal.x</get></variable><variable name="b"><get>goal.y</get></variable><struct name="c"><variable name="d">1</variable></struct></goalCompleted>'
    )
    assert.ok(call.kind === 'completed')
    assert.deepEqual(declared(call.call.arguments, scope({ x: '7' })).variables, {
      a: { type: 'int', value: 7 },
      b: {},
      c: { fields: { d: { value: '1' } } }
    })
  })
  it('complain at their place', () => {
    const [error] = declared(
      [...program('<list name="l"><variable type="int"><get>goal.x</get></variable></list>').instances.values()],
      scope({ x: 'no' })
    ).errors
    assert.match(error!.message, /'no' is not an int/)
  })
})
