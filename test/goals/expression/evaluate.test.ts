import assert from 'node:assert/strict'
import fc from 'fast-check'
import { conjunction, evaluate } from '../../../src/goals/expression/evaluate.ts'
import { and, not, or } from '../../../src/goals/expression/outcome.ts'
import type { Outcome } from '../../../src/goals/expression/result.ts'
import type { Fact } from '../../../src/goals/ports.ts'
import type { Expression } from '../../../src/goals/program/model.ts'
import { expression, scope } from './make.ts'

const variables = {
  n: 5,
  ten: '10',
  nine: '9',
  word: 'abc',
  empty: '',
  no: 'no',
  zero: 0,
  list: ['a', 'b'],
  none: [],
  struct: { a: 1 },
  hollow: { a: null },
  nothing: null,
  later: { unknown: true as const },
  key: { type: 'secret', value: 'hush' }
}

describe('an expression', () => {
  const cases: [xml: string, outcome: Outcome, value?: unknown][] = [
    ['<get>goal.n</get>', 'true', 5],
    ['<get>goal.nothing</get>', 'false'],
    ['<get>goal.undeclared.deep[3]</get>', 'false'],
    ['<get>goal.no</get>', 'false', 'no'],
    ['<get>goal.later</get>', 'possible'],
    ['<get>goal.later.deep</get>', 'possible'],
    ['<get>goal.list[1]</get>', 'true', 'b'],
    ['<get>host.arch</get>', 'true', 'x64'],
    ['<get>n</get>', 'true', 5],
    ['<op name="gt"><get>goal.ten</get> <get>goal.nine</get></op>', 'true', true],
    ['<op name="lt"><get>goal.word</get>abd</op>', 'true', true],
    ['<op name="eq"><get>goal.n</get>5.0</op>', 'true', true],
    ['<op name="eq"><get>goal.nothing</get><string/></op>', 'true', true],
    ['<op name="ne"><get>goal.nothing</get>x</op>', 'true', true],
    ['<op name="lt"><get>goal.nothing</get>3</op>', 'false', false],
    ['<op name="eq"><get>goal.later</get>3</op>', 'possible'],
    ['<op name="eq"><get>goal.struct</get><get>goal.struct</get></op>', 'true', true],
    ['<op name="add"><get>goal.n</get>1 2</op>', 'true', '51 2'],
    ['<op name="add"><get>goal.n</get><int>1</int><int>2</int></op>', 'true', 8],
    ['<op name="add"><get>goal.word</get>!</op>', 'true', 'abc!'],
    ['<op name="mod"><get>goal.n</get>5</op>', 'false', 0],
    ['<op name="div"><get>goal.n</get>2</op>', 'true', 2.5],
    ['<op name="isZero"><get>goal.zero</get></op>', 'true', true],
    ['<op name="isNotZero"><get>goal.zero</get></op>', 'false', false],
    ['<op name="isNotZero"><get>goal.nothing</get></op>', 'false', false],
    ['<op name="and"><get>goal.n</get><get>goal.later</get><get>goal.no</get></op>', 'false', false],
    ['<op name="or"><get>goal.no</get><get>goal.later</get></op>', 'possible'],
    ['<op name="not"><get>goal.later</get></op>', 'possible'],
    ['<defined><get>goal.struct</get></defined>', 'true', true],
    ['<defined><get>goal.hollow</get></defined>', 'false', false],
    ['<defined><get>goal.none</get></defined>', 'true', true],
    ['<get>goal.none</get>', 'false'],
    ['<defined><get>goal.later</get></defined>', 'possible'],
    ['<defined><get>goal.empty</get></defined>', 'true', true],
    ['<string>a <get>goal.n</get></string>', 'true', 'a 5'],
    ['<string>a <get>goal.nothing</get></string>', 'false'],
    ['<string>a <get>goal.later</get></string>', 'possible'],
    ['<int> 12 </int>', 'true', 12],
    ['<bool>FALSE</bool>', 'false', false],
    ['<bool><get>goal.nothing</get></bool>', 'false', false],
    ["<urlEncode>a b&amp;ü'</urlEncode>", 'true', 'a%20b%26%C3%BC%27'],
    ['<goalCompleted name="sub"/>', 'possible'],
    ['<env name="HOME"/>', 'possible']
  ]
  for (const [xml, outcome, value] of cases) {
    it(`${xml} is ${outcome}${value === undefined ? '' : ` and ${JSON.stringify(value)}`}`, () => {
      const result = evaluate(expression(xml), scope(variables))
      assert.deepEqual(result.errors, [])
      assert.equal(result.outcome, outcome)
      if (value !== undefined && outcome !== 'possible') assert.equal(result.tree?.value, value)
      if (outcome === 'possible') assert.equal(result.tree?.unknown, true)
    })
  }

  const faults: [xml: string, message: RegExp][] = [
    ['<get>gaol.n</get>', /nothing is called gaol \(did you mean goal\?\)/],
    ['<int>x</int>', /'x' is not an int/],
    ['<op name="mul"><get>goal.word</get>2</op>', /mul: goal\.word is not a number: 'abc'/],
    ['<op name="div"><get>goal.n</get>0</op>', /the result of 5, 0 is not a number/],
    ['<shell><send>true</send></shell>', /not marked pure="true"/],
    ['<string>x<get>goal.struct</get></string>', /goal\.struct is a struct, not text/]
  ]
  for (const [xml, message] of faults) {
    it(`${xml} is an error at its place, not a crash`, () => {
      const [error] = evaluate(expression(xml), scope(variables)).errors
      assert.match(error!.message, message)
      assert.equal(error!.place.line, 1)
    })
  }

  it('tells the reason and the place', () => {
    const [reason] = evaluate(expression('<op name="gt"><get>goal.n</get>7</op>'), scope(variables)).reasons
    assert.equal(reason!.text, 'goal.n is 5, not greater than 7')
    assert.ok(reason!.place.col > 1)
  })

  it('records what it read, secrets masked', () => {
    const { reads } = evaluate(expression('<op name="and"><get>goal.nothing</get><get>goal.key</get></op>'), scope(variables))
    assert.deepEqual(reads, { 'goal.nothing': {}, 'goal.key': { type: 'secret', value: '***' } })
  })

  it('asks for facts once, and takes the answer', () => {
    const test = expression('<fileTest type="directory">/srv/<get>goal.word</get></fileTest>')
    const [query] = evaluate(test, scope(variables)).wanted
    assert.deepEqual(query, { kind: 'file', test: 'directory', path: '/srv/abc' })
    const facts = new Map<string, Fact>([[JSON.stringify(query), { kind: 'bool', value: true }]])
    const result = evaluate(test, scope(variables, { facts }))
    assert.deepEqual([result.outcome, result.wanted.length], ['true', 0])
  })

  it('asks nothing more once it is decided', () => {
    const result = conjunction(
      [expression('<get>goal.no</get>'), expression('<fileTest>/x</fileTest>'), expression('<goalCompleted name="sub"/>')],
      scope(variables)
    )
    assert.deepEqual([result.outcome, result.wanted, result.calls], ['false', [], []])
  })

  it('runs the sends of a pure shell one after the other, up to the first that fails', () => {
    const shell = expression(
      '<shell pure="true" value="stdout"><send>echo <get quote="shell">goal.word</get></send><send>two</send></shell>'
    )
    const first = { kind: 'shell', argv: ['/bin/bash', '-c', "echo 'abc'"], timeoutMs: 10_000 } as const
    const second = { ...first, argv: ['/bin/bash', '-c', 'two'] }
    const facts = new Map<string, Fact>()
    assert.deepEqual(evaluate(shell, scope(variables, { facts })).wanted, [first])
    facts.set(JSON.stringify(first), { kind: 'shell', code: 0, stdout: 'abc\n' })
    assert.deepEqual(evaluate(shell, scope(variables, { facts })).wanted, [second])
    facts.set(JSON.stringify(second), { kind: 'shell', code: 3, stdout: 'end\n\n' })
    assert.equal(evaluate(shell, scope(variables, { facts })).tree?.value, 'abc\nend')
  })

  it('leaves an impure shell possible in a plan', () => {
    assert.equal(evaluate(expression('<shell><send>true</send></shell>'), scope({}, { inPlan: true })).outcome, 'possible')
  })

  it('does not count errors in a plan that a part of OR may keep from counting, which is not known yet', () => {
    const unsure = (name: string) =>
      expression(`<op name="${name}"><shell><send>true</send></shell><op name="sub"><string>x</string>1</op></op>`)
    const told = (name: string, inPlan: boolean): unknown[] => {
      const { outcome, errors } = evaluate(unsure(name), scope({}, { inPlan }))
      return [outcome, errors.length]
    }
    assert.deepEqual(told('or', true), ['possible', 0])
    assert.deepEqual(told('and', true), ['false', 1], 'that is never true')
    assert.equal(told('or', false)[1], 2, 'a shell that is not pure is one more')
  })

  it('reads what other nodes publish as a fact', () => {
    const get = expression('<get>nodes.web1.host.os</get>')
    const [query] = evaluate(get, scope()).wanted
    assert.deepEqual(query, { kind: 'state', path: 'nodes.web1.host.os' })
    const facts = new Map<string, Fact>([[JSON.stringify(query), { kind: 'tree', value: { value: 'linux' } }]])
    assert.equal(evaluate(get, scope({}, { facts })).tree?.value, 'linux')
  })
})

describe('the lattice of outcomes', () => {
  const outcome = fc.constantFrom<Outcome>('true', 'false', 'possible')

  it('is commutative, associative and dual', () => {
    fc.assert(
      fc.property(outcome, outcome, outcome, (a, b, c) => {
        assert.equal(and(a, b), and(b, a))
        assert.equal(or(a, b), or(b, a))
        assert.equal(and(a, and(b, c)), and(and(a, b), c))
        assert.equal(or(a, or(b, c)), or(or(a, b), c))
        assert.equal(not(and(a, b)), or(not(a), not(b)))
      })
    )
  })

  it('never changes a decided outcome when what was possible becomes known', () => {
    const place = { file: 'f', line: 1, col: 1 }
    const names = ['a', 'b', 'c']
    const leaf = fc.constantFrom(...names).map((name): Expression => ({ kind: 'get', path: ['goal', name], place }))
    const tree = fc.letrec<{ node: Expression }>(tie => ({
      node: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc
          .tuple(fc.constantFrom('and' as const, 'or' as const), fc.array(tie('node'), { minLength: 1, maxLength: 3 }))
          .map(([name, operands]): Expression => ({ kind: 'op', name, operands, place })),
        tie('node').map((of): Expression => ({ kind: 'op', name: 'not', operands: [of], place }))
      )
    })).node
    fc.assert(
      fc.property(
        tree,
        fc.array(outcome, { minLength: 3, maxLength: 3 }),
        fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
        (node, before, then) => {
          const known = (value: Outcome, index: number): boolean => (value === 'possible' ? then[index]! : value === 'true')
          const early = scope(
            Object.fromEntries(
              names.map((name, index) => [name, before[index] === 'possible' ? { unknown: true } : before[index] === 'true'])
            )
          )
          const late = scope(Object.fromEntries(names.map((name, index) => [name, known(before[index]!, index)])))
          const first = evaluate(node, early).outcome
          const second = evaluate(node, late).outcome
          assert.notEqual(second, 'possible')
          if (first !== 'possible') assert.equal(second, first)
        }
      )
    )
  })
})
