/** Programs that are right, with values that are missing or wrong: in the program, on the command line, in the state. */
import { type Fault, goal, method } from './fault.ts'

const port = '<variable name="port" type="int"/>'
const needs = goal(
  `${port}<pre><defined><get>goal.port</get></defined></pre><method><shell><send>echo <get>goal.port</get></send></shell></method>`
)
const types = `<struct name="Site"><variable name="path"/></struct>\n<struct name="blue" type="Site"><variable name="path">/b</variable></struct>\n`
const site = goal('<variable name="site" type="Site"/><pre><defined><get>goal.site</get></defined></pre>', types)
const two = goal(
  '<variable name="site" type="Site"/><pre><defined><get>goal.site</get></defined></pre>',
  `${types}<struct name="green" type="Site"><variable name="path">/g</variable></struct>\n`
)
const range = goal(`<variable name="n" type="int">1</variable><pre><op name="gt"><get>goal.n</get>5</op></pre><method/>`)
const words = goal('<variable name="name">ann</variable><method><shell><send>echo <get>goal.name</get></send></shell></method>')

function typed(
  name: string,
  text: string,
  given: readonly string[],
  reason: string,
  fill?: Fault['fill'],
  verb = 'plan',
  next = `cloudburst ${verb} x.xml g`
): Fault {
  return {
    name,
    files: { 'x.xml': text },
    words: [verb, 'x.xml', 'g', ...given],
    exit: 5,
    reason,
    next,
    ...(fill !== undefined && { fill })
  }
}
function edited(name: string, text: string, at: string, reason: string, edit: Fault['edit'], given: readonly string[] = []): Fault {
  const line = at.split(':')[0]!
  return {
    name,
    files: { 'x.xml': text },
    words: ['plan', 'x.xml', 'g', ...given],
    exit: 5,
    at: `x.xml:${at}`,
    reason,
    next: `vi +${line} x.xml`,
    edit: edit!
  }
}

export const wrongValues: readonly Fault[] = [
  typed('a value that is missing', needs, [], 'goal.port   missing   int', { 'goal.port': '80' }),
  typed('a value that is missing for pursue', needs, [], 'goal.port   missing   int', { 'goal.port': '80' }, 'pursue'),
  typed('a value that is missing for execute', needs, [], 'goal.port   missing   int', { 'goal.port': '80' }, 'execute'),
  typed('a struct that the state has', site, [], 'goal.site=blue'),
  typed('a struct that the state has twice', two, [], 'goal.site=green'),
  typed('a value out of its range', range, [], 'goal.n', { 'goal.n': '6' }),
  typed('a value typed out of its range', range, ['goal.n=2'], 'goal.n', { 'goal.n': '6' }),
  typed('a word typed for a number', needs, ['goal.port=eighty'], "'eighty' is not an int", { 'goal.port': '80' }),
  typed('a number with a blank', needs, ['goal.port=8 0'], "'8 0' is not an int", { 'goal.port': '80' }),
  typed('an empty value', needs, ['goal.port='], 'goal.port', { 'goal.port': '80' }),
  typed('a path mistyped', needs, ['goal.prot=80'], 'there is no goal.prot (did you mean goal.port?)'),
  typed('a path without goal', needs, ['port=80'], 'did you mean goal.port?'),
  typed('a path mistyped with --set', needs, ['--set=goal.prot=80'], 'did you mean goal.port?'),
  typed('a state mistyped', two, ['goal.site=bleu'], 'did you mean blue?'),
  typed(
    'a state of another type',
    goal('<variable name="site" type="Site"/>', `${types}<struct name="t" type="Other"/>\n`),
    ['goal.site=t'],
    'goal.site is a Site, but t is a Other',
    { 'goal.site': 'blue' }
  ),
  typed('a field mistyped', goal('<variable name="site" type="Site"/>', types), ['goal.site.pth=/x'], 'did you mean goal.site.path?'),
  typed('JSON that is none', goal('<list name="l"/>'), ['goal.l=[1,'], 'goal.l', { 'goal.l': '[1]' }),
  { ...typed('the whole goal', words, ['goal=1'], 'cannot be set', undefined, 'plan', 'cloudburst list x.xml -o wide'), looks: true },
  edited(
    'a value that a shell would take apart',
    words,
    '3:63',
    'which a shell would not take as plain text',
    ['<get>goal.name</get>', '<get quote="shell">goal.name</get>'],
    ['goal.name=a b']
  ),
  edited(
    'a value that would be an option',
    words,
    '3:63',
    'option',
    ['<get>goal.name</get>', '-- <get quote="shell">goal.name</get>'],
    ['goal.name=-rf']
  ),
  edited(
    'a name that nothing has',
    method('<shell><send>echo <get>gaol.name</get></send></shell>'),
    '4:19',
    'nothing is called gaol (did you mean goal?)',
    ['<get>gaol.name</get>', 'name']
  ),
  edited(
    'a list as text',
    method('<shell><send>echo <get>goal.l</get></send></shell>', '<list name="l"><variable>a</variable></list>'),
    '4:19',
    'goal.l is a list, not text',
    ['goal.l<', 'goal.l[0]<']
  ),
  edited(
    'a struct as text',
    method('<shell><send>echo <get>goal.s</get></send></shell>', '<struct name="s"><variable name="a">1</variable></struct>'),
    '4:19',
    'goal.s is a struct, not text',
    ['goal.s<', 'goal.s.a<']
  ),
  edited(
    'quotes in quotes',
    method(`<shell><send>echo "<get quote="shell">goal.n</get>"</send></shell>`, '<variable name="n">a b</variable>'),
    '4:20',
    'quotes',
    [`"<get quote="shell">goal.n</get>"`, '<get quote="shell">goal.n</get>']
  ),
  edited(
    'an environment behind a prefix',
    method('<shell><command>ssh h</command><send>echo <get as="env">goal.n</get></send></shell>', '<variable name="n">a b</variable>'),
    '4:43',
    'env',
    ['as="env"', 'quote="shell"']
  ),
  edited(
    'a value of a caller as it is',
    method('<shell><send>echo <get quote="none">goal.n</get></send></shell>', '<variable name="n">a</variable>'),
    '4:19',
    'quote="none"',
    ['quote="none"', 'quote="shell"'],
    ['goal.n=b']
  ),
  edited(
    'a secret in a command line',
    method('<shell><command>echo <get>goal.k</get></command><send>x</send></shell>', '<variable name="k" type="secret">hush</variable>'),
    '4:22',
    'secret',
    ['<get>goal.k</get>', 'k']
  ),
  edited(
    'arithmetic with a word',
    method('<update><set>goal.n</set><op name="mul"><get>goal.n</get>2</op></update>', '<variable name="n">two</variable>'),
    '4:26',
    'is not a number',
    ['"mul"', '"add"']
  ),
  edited('division by nothing', method('<update><set>goal.n</set><op name="div">1 <int>0</int></op></update>'), '4:26', 'is not a number', [
    '<int>0<',
    '<int>2<'
  ]),
  edited(
    'a field of a plain value',
    method('<update><set>goal.n.x</set>1</update>', '<variable name="n">a</variable>'),
    '4:1',
    'its parent is a plain value',
    ['goal.n.x', 'goal.m.x']
  ),
  edited(
    'a word into a number',
    method('<update><set>goal.n</set>two</update>', '<variable name="n" type="int">1</variable>'),
    '4:1',
    "'two' is not an int",
    ['two', '2']
  ),
  edited('a write to the state', goal('<method><update><set>blue.path</set>/x</update></method>', types), '3:9', 'cannot be changed here', [
    'blue.path',
    'goal.path'
  ]),
  edited('a goal that needs itself', method('<goalCompleted name="g"/>'), '4:1', 'g needs itself: g → g', [
    '<goalCompleted name="g"/>',
    ''
  ]),
  edited('an endless repeat', method('<repeat><count>-1</count><do/></repeat>'), '4:1', 'repeat needs a number', ['-1', '1']),
  edited('no method', '<cloudburst name="x">\n<goalProto name="g"/>\n</cloudburst>\n', '2:1', 'no method is known for g', [
    '<goalProto name="g"/>',
    '<goalProto name="g"><method/></goalProto>'
  ])
]
