import assert from 'node:assert/strict'
import { CloudburstError } from '../../../src/errors.ts'
import type { Program, Statement } from '../../../src/goals/program/model.ts'
import { readProgram } from '../../../src/goals/program/read.ts'

const read = (text: string, strict = false): Program =>
  readProgram([{ name: 'p.xml', text: `<cloudburst name="p">\n${text}\n</cloudburst>` }], { strict })
const body = (text: string): readonly Statement[] =>
  read(`<goalProto name="g"><method>${text}</method></goalProto>`).goals.get('g')!.methods[0]!.body

function complaints(text: string, strict = false): readonly string[] {
  try {
    read(text, strict)
  } catch (error) {
    assert.ok(error instanceof CloudburstError)
    assert.equal(error.code, 'CB_PROGRAM_INVALID')
    return error.details['complaints'] as readonly string[]
  }
  return []
}

const inGoal = (text: string): string => `<goalProto name="g">\n${text}\n</goalProto>`
const inMethod = (text: string): string => `<goalProto name="g"><method>\n${text}\n</method></goalProto>`

describe('a faulty program', () => {
  const faults: [name: string, text: string, message: string][] = [
    ['a definition without a name', '<struct/>', 'p.xml:2:1: <struct> needs a name'],
    ['a method without a goal', '<method name="m"/>', 'p.xml:2:1: <method> needs a targetGoalType'],
    ['an element that is not supported yet', inMethod('  <schedule/>'), 'p.xml:3:3: <schedule> is not supported yet'],
    ['code without a language', inMethod('<code>x</code>'), 'p.xml:3:1: <code> needs language="javascript" or language="python"'],
    ['code that is empty', inMethod('<code language="python"> </code>'), 'p.xml:3:1: <code> is empty'],
    [
      'an editFile without an edit',
      inMethod('<editFile path="/x"/>'),
      'p.xml:3:1: <editFile> needs an edit: <replace>, <insertAfter>, <insertBefore>, <append>, <prepend> or <remove>'
    ],
    [
      'a pattern that is none',
      inMethod('<editFile path="/x"><remove pattern="("/></editFile>'),
      'p.xml:3:29: pattern= is not a regular expression: /(/m: Unterminated group'
    ],
    ['a wait for nothing', inMethod('<wait/>'), 'p.xml:3:1: <wait> needs seconds= or an expression that is to hold'],
    ['an element in the wrong place', '<send>x</send>', 'p.xml:2:1: <send> cannot stand in <cloudburst>'],
    ['a name that hides a top name', '<variable name="goal">1</variable>', 'p.xml:2:1: <variable name="goal"> would hide what goal means'],
    ['a value that does not fit its type', '<variable name="n" type="int"> five</variable>', "p.xml:2:32: n: ' five' is not an int"],
    ['a bad path', inGoal('<pre><get>goal..x</get></pre>'), "p.xml:3:11: 'goal..x' is not a path: expected a name at character 6"],
    ['an empty path', inGoal('<pre><get> </get></pre>'), 'p.xml:3:6: <get> needs a path such as goal.name'],
    ['text in a pre', inGoal('<pre>goal.x</pre>'), 'p.xml:3:6: text in <pre> is not an expression: write <get>goal.x</get>'],
    ['an unknown operator', inGoal('<pre><op name="qe"/></pre>'), 'p.xml:3:10: there is no operator qe (did you mean eq?)'],
    ['too few operands', inGoal('<pre><op name="eq"><get>goal.x</get></op></pre>'), 'p.xml:3:6: <op name="eq"> takes 2 operands, not 1'],
    [
      'an unknown expression',
      inGoal('<pre><defind/></pre>'),
      'p.xml:3:6: unknown element <defind> where an expression is needed (did you mean <defined>?)'
    ],
    ['a bad number', inMethod('<shell timeout="soon"><send>x</send></shell>'), 'p.xml:3:8: timeout="soon" is not a number of seconds'],
    [
      'a bad choice',
      inMethod('<shell onFail="ignroe"><send>x</send></shell>'),
      'p.xml:3:8: onFail="ignroe" is none of stop, ignore, suspend, retry (did you mean ignore?)'
    ],
    ['text in a shell', inMethod('<shell>ls</shell>'), 'p.xml:3:8: text in <shell> is not run: put it into <send>'],
    ['an empty send', inMethod('<shell><send> </send></shell>'), 'p.xml:3:8: <send> is empty'],
    [
      'an open quote in a prefix',
      inMethod('<shell><command>ssh "a</command><send>x</send></shell>'),
      'p.xml:3:17: <command>: the quote " is never closed'
    ],
    [
      'an unknown goal to stop by',
      '<agent name="a" onStop="gg"><goalProto name="g"/></agent>',
      'p.xml:2:1: onStop of agent a: no goal gg (did you mean g?)'
    ],
    ['an unknown sub-goal', inMethod('<goalCompleted name="gg"/>'), 'p.xml:3:1: there is no goal gg (did you mean g?)'],
    ['a find without a list', inMethod('<find symbol="n"><do/></find>'), 'p.xml:3:1: <find> needs an <in> with a list'],
    [
      'a find symbol that hides a top name',
      inMethod('<find symbol="host"><in><get>goal.l</get></in><do/></find>'),
      'p.xml:3:7: symbol="host" would hide what host means'
    ],
    ['an update of what cannot be written', inMethod('<update><set>host.arch</set>x</update>'), 'p.xml:3:9: host cannot be written'],
    ['an update without a value', inMethod('<update><set>goal.x</set></update>'), 'p.xml:3:1: <update> needs a value after the path'],
    [
      'quote and as together',
      inMethod('<shell><send><get quote="shell" as="env">goal.x</get></send></shell>'),
      'p.xml:3:33: quote= and as= exclude each other'
    ],
    ['two parameters of one name', inGoal('<variable name="a"/>\n<variable name="a"/>'), 'p.xml:4:1: a is already declared on line 3'],
    ['a missing include', '<include file="no.xml"/>', 'p.xml:2:10: there is no file no.xml to include'],
    ['a tempFile without a name', inMethod('<tempFile>x</tempFile>'), 'p.xml:3:1: <tempFile> needs a name']
  ]
  for (const [name, text, message] of faults) {
    it(`is refused for ${name}, at its place`, () => assert.deepEqual(complaints(text), [message]))
  }

  it('is refused with all of its faults at once', () => {
    assert.equal(complaints(`<struct/>\n<goalProto/>\n${inMethod('<wait/>')}`).length, 3)
  })

  it('is refused for a wrong root', () => {
    assert.throws(() => readProgram([{ name: 'q.xml', text: '<programm/>' }]), /q\.xml:1:1: the root of a program is <cloudburst/)
  })

  it('says once where its XML is broken', () => {
    assert.throws(() => readProgram([{ name: 'q.xml', text: '<cloudburst>\n<a>\n</cloudburst>' }]), {
      message: 'q.xml:3:1: expected </a> for the <a> of line 2'
    })
  })
})

describe('a warning', () => {
  const cases: [name: string, text: string, message: string][] = [
    ['an unknown element', '<goalproto name="g"/>', 'unknown element <goalproto> in <cloudburst> is ignored (did you mean <goalProto>?)'],
    ['an unknown attribute', '<goalProto nmae="x" name="g"/>', '<goalProto> has no attribute nmae (did you mean name?)'],
    ['stray text in a goal', '<goalProto name="g">hello</goalProto>', 'text in <goalProto> is ignored'],
    [
      'a method of an unknown goal',
      '<goalProto name="deploy"/><method name="m" targetGoalType="deplyo"/>',
      'method m is for goal deplyo, which is not defined (did you mean deploy?)'
    ]
  ]
  for (const [name, text, message] of cases) {
    it(`is given for ${name}, and is an error when strict`, () => {
      assert.deepEqual(
        read(text).warnings.map(warning => warning.message),
        [message]
      )
      assert.equal(complaints(text, true).length, 1)
    })
  }
})

describe('a program', () => {
  it('holds types, instances, goals, methods and agents', () => {
    const program = read(`
      <struct name="Site"><variable name="port" type="int">80</variable></struct>
      <struct name="blue" type="Site"/>
      <goalProto name="g"><method/></goalProto>
      <method name="m" targetGoalType="g" priority="2"/>
      <agent name="a"><variable name="x"/><goalProto name="h"/></agent>`)
    assert.deepEqual([...program.types.keys()], ['Site'])
    assert.deepEqual([...program.instances.keys()], ['blue'])
    assert.deepEqual(
      program.methods.map(({ name, priority }) => [name, priority]),
      [['m', 2]]
    )
    assert.equal(program.goals.get('g')!.methods[0]!.name, 'method@5')
    assert.equal(program.agents.get('a')!.goals.get('h')!.agent, 'a')
  })

  it('has the same hash for the same files only', () => {
    const one = readProgram([{ name: 'a.xml', text: '<cloudburst/>' }])
    assert.equal(one.hash, readProgram([{ name: 'a.xml', text: '<cloudburst/>' }]).hash)
    assert.notEqual(one.hash, readProgram([{ name: 'a.xml', text: '<cloudburst />' }]).hash)
    assert.notEqual(one.hash, readProgram([{ name: 'b.xml', text: '<cloudburst/>' }]).hash)
    assert.equal(one.name, 'a')
  })

  it('takes the later definition of the same tag and name, across files, and notes it', () => {
    const program = readProgram([
      { name: 'a.xml', text: '<cloudburst><goalProto name="g"><post/></goalProto><agent name="g"/></cloudburst>' },
      { name: 'b.xml', text: '<hive><goalProto name="g"><describe>new</describe></goalProto></hive>' }
    ])
    assert.equal(program.goals.get('g')!.place.file, 'b.xml')
    assert.ok(program.agents.has('g'))
    assert.deepEqual(
      program.notes?.map(note => note.message),
      ['<goalProto name="g"> replaces that of a.xml:1']
    )
  })

  it('includes files in place, once, by callback or from those given', () => {
    const root = { name: 'dir/a.xml', text: '<cloudburst><include file="b.xml"/><goalProto name="g"/></cloudburst>' }
    const b = { name: 'dir/b.xml', text: '<cloudburst><goalProto name="h"/></cloudburst>' }
    const asked: string[] = []
    const one = readProgram([root], {
      include: (file, from) => {
        asked.push(`${file} from ${from}`)
        return b
      }
    })
    assert.deepEqual(asked, ['b.xml from dir/a.xml'])
    assert.deepEqual([...one.goals.keys()], ['h', 'g'])
    assert.equal(readProgram(one.files).hash, one.hash)
  })

  it('refuses a circle of includes', () => {
    const include = (file: string): { name: string; text: string } => ({
      name: file,
      text: `<cloudburst><include file="${file === 'a.xml' ? 'b' : 'a'}.xml"/></cloudburst>`
    })
    assert.throws(() => readProgram([include('a.xml')], { include }), /a\.xml includes itself: a\.xml → b\.xml → a\.xml/)
  })

  it('leaves out what is switched off', () => {
    const program = read(`
      <goalProto name="off" enabled="false"/><DISABLE-goalProto/>
      <method name="m" targetGoalType="x-DISABLED"/>
      <goalProto name="g"><DISABLE-pre/><method><shell_DISABLED/><shell><send>a</send><send_disabled>b</send_disabled></shell></method></goalProto>`)
    assert.deepEqual([...program.goals.keys()], ['g'])
    assert.equal(program.methods.length, 0)
    const [shell] = program.goals.get('g')!.methods[0]!.body
    assert.ok(shell?.kind === 'shell' && shell.sends.length === 1)
    assert.deepEqual(program.warnings, [])
  })

  it('loads older spellings', () => {
    const program = read(`
      <state><struct name="s" type="T"><get>base</get></struct></state>
      <goalProto name="g" symbol="x"><goalSymbol>y</goalSymbol>
        <pre><defined><rvalue>agent.seeds[0]</rvalue></defined> <op name="or"> <get>agent.a</get> <get>agent.b</get> </op></pre>
        <method><taskSequence name="all"><shell><send name="command">echo &gt; ';'</send></shell></taskSequence></method>
      </goalProto>`)
    assert.deepEqual(program.warnings, [])
    assert.deepEqual(program.instances.get('s')!.copyOf, ['base'])
    assert.equal(program.goals.get('g')!.pre.length, 2)
  })
})

describe('a statement', () => {
  it('splits a prefix by the rules of a shell, with values inside arguments', () => {
    const [shell] = body(
      `<shell><command>ssh -i "<get>agent.key</get> x" 'a b'c\\ d u@<get>goal.ip</get> ''</command><send>x</send></shell>`
    )
    assert.ok(shell?.kind === 'shell')
    const words = shell.prefix!.map(word =>
      word.map(part => (part.kind === 'text' ? part.text : part.kind === 'get' ? `{${part.path.join('.')}}` : '?')).join('')
    )
    assert.deepEqual(words, ['ssh', '-i', '{agent.key} x', 'a bc d', 'u@{goal.ip}', ''])
  })

  it('gives its sends what the shell says, and its label to those that follow', () => {
    const [shell] = body('<shell timeout="5" idempotent="true"><send label="one">a</send><send timeout="1">b</send></shell>')
    assert.ok(shell?.kind === 'shell')
    assert.deepEqual(
      shell.sends.map(({ timeoutS, idempotent, label }) => [timeoutS, idempotent, label]),
      [
        [5, true, 'one'],
        [1, true, 'one']
      ]
    )
    assert.equal(shell.shell, '/bin/bash')
  })

  it('is known by its own text, wherever it stands', () => {
    const [a, b] = body('<shell><send>a</send></shell>\n\n<shell><send>b</send></shell>')
    const [, c] = body('<shell><send>x</send></shell><shell><send>a</send></shell>')
    assert.match(a!.key, /^[0-9a-f]{12}$/)
    assert.notEqual(a!.key, b!.key)
    assert.equal(a!.key, c!.key)
  })

  it('may be the name of a goal', () => {
    const program = read(
      '<goalProto name="user"><variable name="n"/></goalProto><goalProto name="g"><method><user name="u" again="true"><variable name="n">x</variable></user></method></goalProto>'
    )
    const [call] = program.goals.get('g')!.methods[0]!.body
    assert.ok(call?.kind === 'call')
    assert.deepEqual([call.name, call.call.goal, call.call.again, call.call.arguments.length], ['u', 'user', true, 1])
  })

  it('may be a find, a repeat, an update, a tempFile, a check or a block', () => {
    const kinds = body(`
      <find symbol="n" parallel="4"><in><get>agent.nodes</get></in><do><get>n.up</get></do></find>
      <repeat><count>3</count><get>goal.repeat</get></repeat>
      <update><set>goal.x</set> <op name="add">1 <get>goal.y</get></op></update>
      <tempFile name="t">a <get>goal.x</get></tempFile>
      <pre><get>goal.x</get><get>goal.y</get></pre>
      <do parallel="2"><task name="t2"/></do>`).map(statement => statement.kind)
    // the first pre would be a guard; after a statement it is a check
    assert.deepEqual(kinds, ['find', 'repeat', 'update', 'tempFile', 'check', 'do'])
  })

  it('takes ${path} in peer=', () => {
    const [call] = body('<goalCompleted name="g" peer="${goal.node}-x"/>')
    assert.ok(call?.kind === 'call')
    assert.deepEqual(
      call.call.peer!.map(part => part.kind),
      ['get', 'text']
    )
  })
})
