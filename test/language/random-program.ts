/** Random programs: most are read without complaint, some are not; none may make anything crash. */
import fc from 'fast-check'

/** Deepest nesting of blocks: enough for each to stand in each. */
const DEPTH = 2
/** A goal calls those after it; now and then any. */
const GOALS: readonly string[] = ['site', 'user', 'größe', 'x-1']
const VARIABLES = ['name', 'port', 'list', 'box', 'naïve'] as const
const RESULTS = ['out', 'temp', 'said'] as const
const TYPES = ['string', 'Site', 'localFilePath', 'no.such.Type', 'secret'] as const

type Text = fc.Arbitrary<string>

/** One of several, by weight. */
const some = (...choices: readonly (readonly [weight: number, arbitrary: Text])[]): Text =>
  fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })))
const oneOf = (...texts: readonly string[]): Text => fc.constantFrom(...texts)
/** Once in `in_` + 1 times. */
const rarely = (in_: number, arbitrary: Text): Text => some([in_, fc.constant('')], [1, arbitrary])
const many = (arbitrary: Text, minLength: number, maxLength: number, between = ''): Text =>
  fc.array(arbitrary, { minLength, maxLength }).map(parts => parts.join(between))

/** A character that XML can carry. */
const isXmlText = (text: string): boolean => /^[\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]*$/u.test(text)

/** Anything that a person or a machine may put into a value: quotes, line ends, globs, expansions, leading dashes, any script. */
export const weirdText: Text = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc
      .array(
        fc.constantFrom(
          ...[
            "'",
            '"',
            '\\',
            '\n',
            '`id`',
            '$(id)',
            '${HOME}',
            '$HOME',
            '*',
            '?',
            '[a-z]',
            '~',
            '-rf',
            '--',
            ';',
            '&&',
            '|',
            '>',
            '<',
            '#'
          ],
          ...['!', ' ', '\t', 'é', '日本', '😀', '\u202e', '\u0301', "'\\''", '%s', '{a,b}', '=', '(', ')', '\r\n']
        ),
        { maxLength: 8 }
      )
      .map(parts => parts.join(''))
  )
  .filter(isXmlText)

/** Text as it stands in an XML element or attribute. */
export function xmlText(text: string): string {
  return text.replace(/[&<>"\r\n\t]/g, char => `&#${char.codePointAt(0)};`)
}

const plainWord = oneOf('a', 'ann', '4', '0', 'no', 'true', '/etc', 'x.y', '10.0.0.1', 'blue', '-3')
const value = some([3, plainWord], [1, weirdText.map(xmlText)])

const readable = some(
  [8, oneOf(...VARIABLES.map(name => `goal.${name}`))],
  [3, oneOf(...RESULTS.flatMap(name => [`goal.${name}`, `goal.${name}.stdout`, `goal.${name}.rc`]))],
  [4, oneOf('agent.count', 'blue.path', 'blue', 'ports', 'ports[0]', 'title', 'item', 'goal.repeat', 'goal.box.path')],
  [1, oneOf('host.arch', 'peer.name', 'nodes.web.up', 'goal.nothing', 'nothing.at.all', 'goal.list[7].x', 'goal', 'agent')]
)
/** Where something can be written, if perhaps not this value. */
const writable = some(
  [40, oneOf('goal.name', 'goal.out', 'goal.new', 'goal.box.path', 'goal.list[0]', 'agent.count', 'agent.new')],
  [4, oneOf('item', 'goal.new.field', 'blue.path', 'title')],
  [1, readable]
)
const get = readable.map(path => `<get>${path}</get>`)
const known = oneOf('goal.name', 'goal.port', 'ports[1]', 'blue.path', 'goal.box.path', 'goal.list').map(path => `<get>${path}</get>`)
const mixed = many(some([3, value], [1, get], [3, known]), 1, 3)

function expression(depth: number): Text {
  const leaf = some(
    [3, get],
    [5, known],
    [2, mixed.map(text => `<string>${text}</string>`)],
    [1, some([3, oneOf('4', '0', '-3')], [1, mixed]).map(text => `<int>${text}</int>`)],
    [1, mixed.map(text => `<bool>${text}</bool>`)],
    [3, get.map(inner => `<defined>${inner}</defined>`)],
    [1, oneOf('<pathExists>/etc</pathExists>', '<fileTest type="directory"><get>goal.name</get></fileTest>')],
    [1, oneOf('<env name="HOME"/>', '<now/>', '<uuid/>', '<urlEncode>a b</urlEncode>')],
    [1, oneOf('', ' pure="true"', ' pure="true" value="stdout"').map(how => `<shell${how}><send>true</send></shell>`)]
  )
  if (depth === 0) return leaf
  const inner = expression(depth - 1)
  const operator = (names: readonly string[], operands: Text): Text =>
    fc.tuple(oneOf(...names), operands).map(([name, text]) => `<op name="${name}">${text}</op>`)
  const second = some([3, plainWord], [1, inner])
  return some(
    [4, leaf],
    [
      3,
      operator(
        ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'add', 'sub', 'mul', 'div', 'mod'],
        fc.tuple(inner, second).map(pair => pair.join('\n'))
      )
    ],
    [2, operator(['and', 'or'], many(inner, 1, 3))],
    [1, operator(['not', 'isZero', 'isNotZero'], inner)]
  )
}

const likely = some(
  [5, oneOf('<defined><get>goal.name</get></defined>', '<bool>yes</bool>', '<op name="ge"><get>goal.port</get>0</op>')],
  [1, expression(2)]
)
const pre = (inner: Text): Text => inner.map(text => `<pre>${text}</pre>`)

const policy = rarely(
  4,
  oneOf(
    ...[' onFail="ignore"', ' onFail="retry"', ' retries="2" backoff="0.1"', ' timeout="5"', ' idempotent="true"', ' onFail="suspend"'],
    ' enabled="false"'
  )
)
const describe = rarely(
  3,
  mixed.map(text => `<describe>${text}</describe>`)
)
const pasted = some(
  [6, known.filter(text => !text.includes('list'))],
  [5, readable.map(path => `<get quote="shell">${path}</get>`)],
  [3, readable.map(path => `<get as="env">${path}</get>`)],
  [1, fc.tuple(readable, oneOf('', ' quote="none"')).map(([path, how]) => `<get${how}>${path}</get>`)]
)
const sendText = many(
  some([4, oneOf(' echo ', ' true ', ' "$X" ', ' --')], [1, oneOf("'", ' # ', ' $(', ' \\', ' &amp;&amp; ')], [5, pasted]),
  1,
  3
)
const send = fc
  .tuple(rarely(1, oneOf(...RESULTS.map(name => ` name="${name}"`))), policy, describe, sendText)
  .map(([name, policies, told, text]) => `<send${name}${policies}>${told}run ${text}</send>`)
const prefix = rarely(
  4,
  known.map(inner => `<command>ssh -p 22 'a b' ${inner}</command>`)
)
const shell = fc.tuple(prefix, describe, many(send, 1, 3)).map(([command, told, sends]) => `<shell>${told}${command}${sends}</shell>`)

/** Goals that come later, so that most programs have an end; now and then any, with nothing new to say to it. */
function call(callable: readonly string[]): Text {
  const later = fc
    .tuple(
      oneOf(...callable),
      fc.subarray([...VARIABLES], { maxLength: 2 }),
      some([2, known], [1, mixed]),
      rarely(4, oneOf(' again="true"')),
      rarely(12, oneOf(' peer="web"', ' where="os=linux"'))
    )
    .map(([goal, names, argument, again, where]) => {
      const passed = names.map(name => `<variable name="${name}">${argument}</variable>`)
      return `<goalCompleted name="${goal}"${again}${where}>${passed.join('')}</goalCompleted>`
    })
  return some([60, later], [1, oneOf(...GOALS, 'undefined-goal').map(goal => `<goalCompleted name="${goal}"/>`)])
}

const code = some(
  [3, known.map(inner => `<code language="javascript">console.log(${inner}); <set>goal.out</set></code>`)],
  [1, oneOf('<code language="python">print(1)</code>', '<python><code>x = <get>goal.name</get></code></python>')]
)
const edit = fc
  .tuple(oneOf('/etc/conf', '${goal.name}', '/no/such'), mixed)
  .map(([path, text]) => `<editFile path="${path}"><append>${text}</append><replace pattern="b" with="c"/></editFile>`)
const wait = some(
  [1, oneOf('<wait seconds="1"/>', '<wait seconds="0"/>')],
  [1, likely.map(inner => `<wait timeout="0.05">${inner}</wait>`)]
)

function statement(depth: number, callable: readonly string[]): Text {
  const calls: (readonly [number, Text])[] = callable.length === 0 ? [] : [[3, call(callable)]]
  const leaf = some(
    [8, shell],
    [3, fc.tuple(writable, some([3, known], [2, expression(1)])).map(([to, from]) => `<update><set>${to}</set>${from}</update>`)],
    [1, fc.tuple(oneOf(...RESULTS), mixed).map(([name, text]) => `<tempFile name="${name}">${text}</tempFile>`)],
    [2, likely],
    [1, some([1, pre(likely)], [1, code], [1, edit], [1, wait])],
    ...calls
  )
  if (depth === 0) return leaf
  const body = many(statement(depth - 1, callable), 1, 3, '\n')
  const list = some([3, oneOf('<get>goal.list</get>', '<get>ports</get>')], [1, get])
  const parallel = rarely(3, oneOf(' parallel="2"', ' parallel="9"'))
  return some(
    [6, leaf],
    [1, fc.tuple(parallel, body).map(([how, inner]) => `<do${how}>${inner}</do>`)],
    [1, fc.tuple(parallel, list, body).map(([how, from, inner]) => `<find symbol="item"${how}><in>${from}</in><do>${inner}</do></find>`)],
    [
      1,
      fc.tuple(some([5, oneOf('0', '1', '3')], [1, get]), body).map(([times, inner]) => `<repeat><count>${times}</count>${inner}</repeat>`)
    ]
  )
}

function method(goal: string, within: boolean): Text {
  const callable = GOALS.slice(GOALS.indexOf(goal) + 1)
  const calls: (readonly [number, Text])[] = callable.length === 0 ? [] : [[1, call(callable)]]
  return fc
    .tuple(
      oneOf('one', 'two', 'three'),
      rarely(4, oneOf(' priority="2"', ' priority="-1"')),
      rarely(2, pre(some([3, likely], ...calls))),
      describe,
      rarely(
        9,
        shell.map(inner => `<correct limit="2">${inner}</correct>`)
      ),
      many(statement(DEPTH, callable), 1, 5, '\n')
    )
    .map(
      ([name, priority, guard, told, correction, body]) =>
        `<method name="${name}-${goal}"${within ? '' : ` targetGoalType="${goal}"`}${priority}>${told}${guard}${correction}\n${body}</method>`
    )
}

const declarations = fc.tuple(oneOf(...TYPES), some([2, mixed], [1, fc.constant('')]), value).map(
  ([type, first, second]) => `<variable name="name">ann</variable><variable name="port" type="int">3</variable>
<variable name="naïve" type="${type}">${type === 'localFilePath' || type === 'Site' ? '' : first}</variable>
<list name="list"><variable>a</variable><variable>${second}</variable></list>
<struct name="box" type="Site"><get>blue</get></struct>`
)

function goal(name: string): Text {
  return fc
    .tuple(
      declarations,
      describe,
      rarely(6, pre(likely)),
      rarely(
        5,
        some([1, likely], [1, expression(1)]).map(inner => `<post>${inner}</post>`)
      ),
      many(method(name, true), 1, 2, '\n'),
      many(method(name, false), 0, 1)
    )
    .map(
      ([parameters, told, required, post, own, global]) =>
        `<goalProto name="${name}">${told}${parameters}${required}${post}\n${own}</goalProto>\n${global}`
    )
}

/** What now and then stands in a program that is not right. */
const fault = rarely(
  30,
  oneOf(
    ...['<goalproto name="g"/>', '<struct/>', 'stray text', '<method name="m" targetGoalType="nobody"/>', '<variable name="goal"/>'],
    ...['<shell><send>x</send></shell>', '<unclosed>', '&undefined;', '<!DOCTYPE x>', '\u0000']
  )
)

/** The inside of a program whose goal `site` may call the others; texts of all kinds at all places. */
export const randomProgram: Text = fc.tuple(fc.tuple(...GOALS.map(goal)), value, fault, fc.boolean()).map(
  ([
    goals,
    title,
    wrong,
    isSerial
  ]) => `<struct name="Site"><variable name="path" type="localFilePath"/><variable name="port" type="int">80</variable></struct>
<struct name="blue" type="Site"><variable name="path">/srv/blue</variable></struct>
<list name="ports"><variable type="int">2</variable><variable type="int">5</variable></list>
<variable name="title">${title}</variable>
<agent name="keeper"><variable name="count" type="int">0</variable></agent>
${wrong}
${isSerial ? goals.join('\n').replace(/ parallel="\d"/g, '') : goals.join('\n')}`
)
