import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { agentVariables } from '../../../src/goals/config/agent-variables.ts'
import { assigned } from '../../../src/goals/config/assignment.ts'
import type { Bound } from '../../../src/goals/config/bind.ts'
import { bind } from '../../../src/goals/config/bind.ts'
import { suggest, suggestedCommand } from '../../../src/goals/config/controller.ts'
import { instancesOf, nowhere } from '../../../src/goals/config/instances.ts'
import { tabulate } from '../../../src/goals/config/tabulator.ts'
import { toPlain } from '../../../src/goals/expression/plain.ts'
import type { Tree, Variables } from '../../../src/goals/tree.ts'
import { readProgram } from '../../../src/goals/program/read.ts'

const program = readProgram([
  {
    name: 'p.xml',
    text: `<cloudburst name="p">
<struct name="Site"><variable name="path" type="localFilePath"/><variable name="port" type="int">80</variable></struct>
<struct name="blue" type="Site"><variable name="path">/srv/blue</variable></struct>
<struct name="green" type="Site"><get>blue</get><variable name="path">/srv/green</variable></struct>
<struct name="key" type="Key"/>
<variable name="root" type="password">hush</variable>
<variable name="whole">at <get>blue.path</get></variable>
<goalProto name="publish">
  <describe>Publish <get>goal.site.path</get></describe>
  <describe locale="de">Veröffentliche</describe>
  <variable name="site" type="Site"/>
  <variable name="owner" type="username"/>
  <variable name="copies" type="int">2</variable>
  <variable name="log">/var/log/<get>goal.owner</get></variable>
  <variable name="note"/>
  <variable name="pw" type="password"/>
  <pre><defined><get>goal.site</get></defined> <defined><get>goal.owner</get></defined></pre>
  <pre><op name="gt"><get>goal.copies</get>0</op></pre>
  <method name="m"><shell><send name="build">x</send></shell></method>
</goalProto>
<agent name="a"><variable name="s"><get>green</get></variable><variable name="n" type="int">4</variable></agent>
</cloudburst>`
  }
])
const proto = program.goals.get('publish')!

function bound(words: Record<string, string | Tree> = {}, args?: Variables): Bound {
  const assignments = Object.entries(words).map(([path, value]) => ({ path, value }))
  return bind(program, proto, {
    assignments,
    surroundings: nowhere,
    facts: new Map(),
    instances: instancesOf(program),
    ...(args === undefined ? {} : { arguments: args })
  })
}

describe('a configuration', () => {
  it('takes defaults, then arguments, then the command line', () => {
    assert.equal(bound().variables['copies']?.value, 2)
    assert.equal(bound({}, { copies: { value: '3' } }).variables['copies']?.value, 3)
    const both = bound({ 'goal.copies': '4' }, { copies: { value: '3' } })
    assert.equal(both.variables['copies']?.value, 4)
    assert.equal(both.sources['goal.copies'], 'command line')
    assert.equal(bound().sources['goal.copies'], 'default, p.xml:13')
  })

  it('makes a reference of a word that names state of the right type', () => {
    assert.deepEqual(bound({ 'goal.site': 'blue' }).variables['site'], { type: 'Site', ref: 'blue' })
    assert.match(bound({ 'goal.site': 'key' }).errors[0]!.message, /goal\.site is a Site, but key is a Key/)
    assert.deepEqual(bound({ 'goal.owner': 'blue' }).variables['owner'], { type: 'username', value: 'blue' })
  })

  it('sets single fields in a copy, and leaves the state as it is', () => {
    const { variables, errors } = bound({ 'goal.site': 'blue', 'goal.site.port': '8080' })
    assert.deepEqual(errors, [])
    assert.deepEqual(toPlain(variables['site']), { path: '/srv/blue', port: 8080 })
    assert.deepEqual(toPlain(instancesOf(program).get('blue')), { path: '/srv/blue', port: 80 })
  })

  it("computes a default from what was given, and does not call it the program's own", () => {
    const { variables, sources } = bound({ 'goal.owner': 'ann' })
    assert.equal(variables['log']?.value, '/var/log/ann')
    assert.equal(sources['goal.log'], 'computed from goal.owner')
  })

  const faults: [path: string, value: string, message: RegExp][] = [
    ['goal.sit', 'x', /there is no goal\.sit \(did you mean goal\.site\?\) in goal publish \(p\.xml:8\)/],
    ['owner', 'x', /owner cannot be set.*\(did you mean goal\.owner\?\)/],
    ['goal.site', 'bleu', /names no state of that type \(did you mean blue\?\)/],
    ['goal.site.prt', '1', /goal\.site has no field prt \(did you mean goal\.site\.port\?\)/],
    ['goal.copies', 'two', /goal\.copies: 'two' is not an int/],
    ['goal.copies.x', '1', /goal\.copies is a int and has nothing inside/],
    ['goal.owner', 'a b', /'a b' is not a user name/],
    ['goal..x', '1', /is not a path/]
  ]
  for (const [path, value, message] of faults) {
    it(`refuses ${path}=${value} with a hint`, () => assert.match(bound({ [path]: value }).errors[0]!.message, message))
  }

  it('tells what a requirement needs, with candidates of the same type and where they are', () => {
    const [site, owner] = bound().missing
    assert.deepEqual([site!.path, site!.type, site!.state], ['goal.site', 'Site', 'choose'])
    assert.deepEqual(site!.candidates, [
      { value: 'blue', source: 'state, p.xml:3' },
      { value: 'green', source: 'state, p.xml:4' }
    ])
    assert.deepEqual([owner!.path, owner!.state, owner!.candidates], ['goal.owner', 'missing', []])
  })

  it('tells of a value that does not do', () => {
    const [copies] = bound({ 'goal.site': 'blue', 'goal.owner': 'ann', 'goal.copies': '0' }).missing
    assert.deepEqual([copies!.path, copies!.state, copies!.reason], ['goal.copies', 'wrong', 'goal.copies is 0, not greater than 0'])
  })

  it('is complete when nothing is missing', () => assert.deepEqual(bound({ 'goal.site': 'blue', 'goal.owner': 'ann' }).missing, []))
})

describe('the suggestion', () => {
  it('says what to type, and one whole command', () => {
    const assignments = [{ path: 'goal.note', value: "it's" }]
    const lines = suggest({ command: 'plan', goal: 'publish', assignments, bound: bound({ 'goal.note': "it's" }) })
    assert.deepEqual(lines, [
      '? goal.site    choose    Site',
      '      goal.site=blue    # state, p.xml:3',
      '      goal.site=green   # state, p.xml:4',
      '! goal.owner   missing   username',
      'Suggested:',
      "  cloudburst plan publish 'goal.note=it'\\''s' goal.site=blue goal.owner="
    ])
  })

  it('is a command that a shell reads back as it was meant', () => {
    for (const value of ["it's", '$(id)', 'a  b', '`x`', '\\n', '*', 'é"']) {
      const command = suggestedCommand({
        command: 'plan',
        goal: 'publish',
        assignments: [{ path: 'goal.note', value }],
        bound: bound({ 'goal.note': value })
      })
      const words = execFileSync('/bin/sh', ['-c', `cloudburst() { printf '%s\\n' "$@"; }; ${command}`], { encoding: 'utf8' }).split('\n')
      assert.equal(words[2], `goal.note=${value}`)
    }
  })

  it('never repeats a secret, and offers none', () => {
    const pw = bound({ 'goal.pw': 'hush hush' })
    const command = suggestedCommand({
      command: 'plan',
      goal: 'publish',
      assignments: [{ path: 'goal.pw', value: 'hush hush' }],
      bound: pw
    })
    assert.ok(!command.includes('hush'), command)
    assert.ok(!JSON.stringify(pw.missing).includes('hush'))
  })

  it('is empty when nothing is missing', () => {
    assert.deepEqual(
      suggest({ command: 'plan', goal: 'publish', assignments: [], bound: bound({ 'goal.site': 'blue', 'goal.owner': 'ann' }) }),
      []
    )
  })
})

describe('state', () => {
  it('of the program is evaluated whatever its order, with the fields and types of its type', () => {
    const instances = instancesOf(program)
    assert.deepEqual(toPlain(instances.get('green')), { path: '/srv/green', port: 80 })
    assert.equal(instances.get('green')?.fields?.['path']?.type, 'localFilePath')
    assert.equal(instances.get('whole')?.value, 'at /srv/blue')
  })
  it('of an agent refers to state of the program', () => {
    assert.deepEqual(agentVariables(program, program.agents.get('a')!), { s: { ref: 'green' }, n: { type: 'int', value: 4 } })
  })
})

describe('an assignment of a repair', () => {
  it('is converted, may be qualified, and may set the result of a step', () => {
    assert.deepEqual(assigned(program, { proto }, { path: 'goal.copies', value: '7' }), { type: 'int', value: 7 })
    assert.deepEqual(assigned(program, {}, { path: 'x/m>publish.2:goal.copies', value: '7' }), { type: 'int', value: 7 })
    assert.deepEqual(assigned(program, { proto }, { path: 'goal.build.stdout', value: 'ok' }), { value: 'ok' })
    assert.throws(() => assigned(program, { proto }, { path: 'goal.biuld', value: 'ok' }), { code: 'CB_VALUE_INVALID' })
  })
})

describe('the table of goals', () => {
  it('has a row for each goal, with what it needs', () => {
    const [row] = tabulate(program, 'de_DE.UTF-8')
    assert.equal(row!.describe, 'Veröffentliche')
    assert.equal(tabulate(program, 'fr')[0]!.describe, 'Publish ${goal.site.path}')
    assert.deepEqual(row!.methods, ['m'])
    assert.deepEqual(
      row!.parameters.filter(parameter => parameter.required).map(parameter => parameter.name),
      ['site', 'owner']
    )
  })
})
