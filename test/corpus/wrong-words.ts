/** Well-formed, but not the language: elements, attributes, names, values, expressions. */
import { type Fault, goal, inFile, method, program } from './fault.ts'

const strict = ['plan', 'x.xml', 'g', '--strict']

export const wrongWords: readonly Fault[] = [
  inFile(program('<struct/>'), 'a definition without a name', '3:1', '<struct> needs a name', ['<struct', '<struct name="s"']),
  inFile(program('<goalProto/>'), 'a goal without a name', '3:1', '<goalProto> needs a name', ['<goalProto', '<goalProto name="h"']),
  inFile(program('<method name="m"/>'), 'a method of no goal', '3:1', '<method> needs a targetGoalType', [
    'name="m"',
    'name="m" targetGoalType="g"'
  ]),
  inFile(program('<agent/>'), 'an agent without a name', '3:1', '<agent> needs a name', ['<agent', '<agent name="a"']),
  inFile(program('<agent name="a" onStop="gg"/>'), 'an agent that stops by an unknown goal', '3:1', 'no goal gg (did you mean g?)', [
    '"gg"',
    '"g"'
  ]),
  inFile(
    program('<goalproto name="h"/>'),
    'a goal in small letters',
    '3:1',
    'did you mean <goalProto>?',
    ['goalproto', 'goalProto'],
    strict
  ),
  inFile(
    program('<method name="m" targetGoalType="gg"/>'),
    'a method of an unknown goal',
    '3:1',
    'did you mean g?',
    ['"gg"', '"g"'],
    strict
  ),
  inFile(program('<send>x</send>'), 'a send at the top', '3:1', '<send> cannot stand in <cloudburst>', ['<send>x</send>', '']),
  inFile(program('<variable name="goal">1</variable>'), 'a variable called goal', '3:1', 'would hide what goal means', [
    '"goal"',
    '"goal1"'
  ]),
  inFile(program('<variable name="a.b"/>'), 'a dot in a name', '3:11', "'a.b' cannot be the name of a variable", ['a.b', 'a-b']),
  inFile(program('<variable name="n" type="int">five</variable>'), 'a word for a number', '3:31', "'five' is not an int", ['five', '5']),
  inFile(program('<variable name="n" type="bool">perhaps</variable>'), 'no boolean', '3:32', 'is neither true nor false', [
    'perhaps',
    'true'
  ]),
  inFile(
    program('<variable name="n" type="usa.darpa.rfc971.ipv4address">300.1.1.1</variable>'),
    'no address',
    '3:56',
    "'300.1.1.1' is not",
    ['300', '30']
  ),
  inFile(
    program('<struct name="s"><variable name="a"/><variable name="a"/></struct>'),
    'two fields of one name',
    '3:38',
    'a is already declared on line 3',
    ['<variable name="a"/><variable name="a"/>', '<variable name="a"/>']
  ),
  inFile(program('<include file="no.xml"/>'), 'an include that is not there', '3:10', 'there is no file no.xml to include', [
    '<include file="no.xml"/>',
    ''
  ]),
  inFile(program('<include/>'), 'an include of nothing', '3:1', '<include> needs a file', ['<include/>', '']),
  inFile(program('<service name="s"/>'), 'what is not supported yet', '3:1', '<service> is not supported yet', ['<service name="s"/>', '']),
  inFile(goal('<variable/>'), 'a parameter without a name', '3:1', '<variable> needs a name', ['<variable', '<variable name="a"']),
  inFile(goal('<variable nmae="a" name="b"/>'), 'an attribute mistyped', '3:11', 'did you mean name?', ['nmae="a" ', ''], strict),
  inFile(goal('stray'), 'text in a goal', '3:1', 'text in <goalProto> is ignored', ['stray', ''], strict),
  inFile(goal('<pre>goal.x</pre>'), 'a path without get', '3:6', 'write <get>goal.x</get>', ['goal.x', '<bool>yes</bool>']),
  inFile(goal('<pre><get>goal..x</get></pre>'), 'two dots', '3:11', "'goal..x' is not a path", ['<get>goal..x</get>', '<bool>yes</bool>']),
  inFile(goal('<pre><get>goal.x[one]</get></pre>'), 'a word for an index', '3:11', 'expected an index such as [0]', [
    '<get>goal.x[one]</get>',
    '<bool>yes</bool>'
  ]),
  inFile(goal('<pre><get> </get></pre>'), 'a get of nothing', '3:6', '<get> needs a path', ['<get> </get>', '<bool>yes</bool>']),
  inFile(goal('<pre><get><get>goal.x</get></get></pre>'), 'a get in a get', '3:11', '<get> takes a path, not <get>', [
    '<get><get>goal.x</get></get>',
    '<bool>yes</bool>'
  ]),
  inFile(goal('<pre><op name="qe">1 1</op></pre>'), 'an operator mistyped', '3:10', 'there is no operator qe (did you mean eq?)', [
    '<op name="qe">1 1</op>',
    '<op name="eq"><int>1</int>1</op>'
  ]),
  inFile(goal('<pre><op name="eq"><int>1</int></op></pre>'), 'one operand of two', '3:6', 'takes 2 operands, not 1', [
    '</int></op>',
    '</int>1</op>'
  ]),
  inFile(goal('<pre><op name="not"><bool>no</bool><bool>no</bool></op></pre>'), 'two operands of one', '3:6', 'takes 1 operand, not 2', [
    '<bool>no</bool><bool>no</bool>',
    '<bool>no</bool>'
  ]),
  inFile(goal('<pre><op>1</op></pre>'), 'an operator without a name', '3:6', '<op> needs a name', ['<op>1', '<op name="isNotZero">1']),
  inFile(goal('<pre><defind>1</defind></pre>'), 'an expression mistyped', '3:6', 'did you mean <defined>?', [
    '<defind>1</defind>',
    '<defined><string>1</string></defined>'
  ]),
  inFile(goal('<pre><defined/></pre>'), 'defined of nothing', '3:6', '<defined> needs an expression', ['<defined/>', '<bool>yes</bool>']),
  inFile(
    goal('<pre><fileTest type="folder">/</fileTest></pre>'),
    'an unknown test',
    '3:16',
    'type="folder" is none of exists, file, directory, executable',
    ['folder', 'directory']
  ),
  inFile(goal('<pre><pathExists/></pre>'), 'no path to look for', '3:6', '<pathExists> needs a path', [
    '<pathExists/>',
    '<pathExists>/</pathExists>'
  ]),
  inFile(goal('<pre><env/></pre>'), 'an environment variable without a name', '3:6', '<env> needs a name', ['<env/>', '<bool>yes</bool>']),
  inFile(goal('<method targetGoalType="h"/>'), 'a method of another goal', '3:9', 'cannot be one of h', [' targetGoalType="h"', '']),
  inFile(goal('<method priority="high"/>'), 'a word for a priority', '3:9', 'is not a whole number', ['high', '1']),
  inFile(
    goal('<post><goalCompleted name="gg"/></post>', '<goalProto name="other"/>\n'),
    'a goal mistyped in a post',
    '3:7',
    'there is no goal gg (did you mean g?)',
    ['<post><goalCompleted name="gg"/></post>', '']
  ),
  inFile(goal('<method><while/></method>'), 'a statement of another language', '3:9', 'unknown element <while>', ['<while/>', ''], strict),
  inFile(goal('<variable name="a"/><variable name="a"/>'), 'two parameters of one name', '3:21', 'a is already declared on line 3', [
    '<variable name="a"/><variable',
    '<variable'
  ]),
  inFile(method('<shell>ls</shell>'), 'text in a shell', '4:8', 'put it into <send>', ['ls', '<send>ls</send>']),
  inFile(method('<shell/>'), 'a shell of nothing', '4:1', '<shell> needs a <send>', ['<shell/>', '']),
  inFile(method('<shell><send> </send></shell>'), 'an empty send', '4:8', '<send> is empty', ['> <', '>true<']),
  inFile(method('<shell><command>ssh a</command></shell>'), 'a prefix that sends nothing', '4:1', 'what is to be sent?', [
    '</command>',
    '</command><send>true</send>'
  ]),
  inFile(method('<shell><command>ssh "a</command><send>x</send></shell>'), 'an open quote in a prefix', '4:17', 'is never closed', [
    '"a',
    '"a"'
  ]),
  inFile(method('<shell><command> </command><send>x</send></shell>'), 'an empty prefix', '4:8', '<command> is empty', [
    '<command> </command>',
    ''
  ]),
  inFile(
    method('<shell><command>a</command><command>b</command><send>x</send></shell>'),
    'two prefixes',
    '4:28',
    'a <shell> has one <command>',
    ['<command>b</command>', '']
  ),
  inFile(method('<shell timeout="soon"><send>x</send></shell>'), 'a word for a time', '4:8', 'is not a number of seconds', ['soon', '5']),
  inFile(method('<shell retries="-1"><send>x</send></shell>'), 'fewer tries than none', '4:8', 'is not a whole number from 0 on', [
    '-1',
    '1'
  ]),
  inFile(method('<shell onFail="ignroe"><send>x</send></shell>'), 'a policy mistyped', '4:8', 'did you mean ignore?', ['ignroe', 'ignore']),
  inFile(method('<shell idempotent="yes"><send>x</send></shell>'), 'yes for true', '4:8', 'is neither true nor false', ['"yes"', '"true"']),
  inFile(method('<shell name="a b"><send>x</send></shell>'), 'a blank in a name', '4:8', 'cannot be part of a path', ['a b', 'a-b']),
  inFile(
    method('<shell reuse="true"><send>x</send></shell>'),
    'reuse without ssh',
    '4:8',
    'is for a <command> that begins with ssh or scp',
    [' reuse="true"', '']
  ),
  inFile(
    method('<shell><send><get quote="shell" as="env">goal.x</get></send></shell>'),
    'quoted and by environment',
    '4:33',
    'exclude each other',
    [' as="env"', '']
  ),
  inFile(
    method('<shell><send><get quote="double">goal.x</get></send></shell>'),
    'an unknown way to quote',
    '4:19',
    'quote="double" is none of shell, none',
    ['double', 'shell']
  ),
  inFile(method('<goalCompleted name="gg"/>'), 'a sub-goal mistyped', '4:1', 'there is no goal gg (did you mean g?)', [
    '<goalCompleted name="gg"/>',
    ''
  ]),
  inFile(method('<goalCompleted/>'), 'a sub-goal without a name', '4:1', '<goalCompleted> needs a name', ['<goalCompleted/>', '']),
  inFile(method('<find symbol="n"><do/></find>'), 'a find without a list', '4:1', '<find> needs an <in> with a list', [
    '<do/>',
    '<in><string>a</string></in><do/>'
  ]),
  inFile(
    method('<find symbol="host"><in><string>a</string></in><do/></find>'),
    'a symbol that hides a name',
    '4:7',
    'would hide what host means',
    ['"host"', '"node"']
  ),
  inFile(method('<find><in><string>a</string></in><do/></find>'), 'a find without a symbol', '4:1', '<find> needs a symbol', [
    '<find>',
    '<find symbol="n">'
  ]),
  inFile(method('<repeat><do/></repeat>'), 'a repeat without a count', '4:1', '<repeat> needs a <count>', ['<do/>', '<count>2</count>']),
  inFile(method('<do parallel="1000"/>'), 'too much at a time', '4:5', 'is more than 256', ['1000', '100']),
  inFile(method('<do parallel="0"/>'), 'nothing at a time', '4:5', 'is not a whole number from 1 on', ['"0"', '"1"']),
  inFile(method('<update><set>host.arch</set>x</update>'), 'a write to the host', '4:9', 'host cannot be written', [
    'host.arch',
    'goal.arch'
  ]),
  inFile(method('<update><set>goal</set>x</update>'), 'a write to the whole goal', '4:9', 'goal cannot be written as a whole', [
    '>goal<',
    '>goal.a<'
  ]),
  inFile(method('<update><set>goal.x</set></update>'), 'an update without a value', '4:1', '<update> needs a value', ['</set>', '</set>1']),
  inFile(method('<update>goal.x = 1</update>'), 'an update without a set', '4:1', '<update> needs a <set>', [
    'goal.x = 1',
    '<set>goal.x</set>1'
  ]),
  inFile(method('<tempFile>x</tempFile>'), 'a file without a name', '4:1', '<tempFile> needs a name', [
    '<tempFile>',
    '<tempFile name="t">'
  ]),
  inFile(method('<code>1</code>'), 'code of no language', '4:1', '<code> needs language=', ['<code>', '<code language="javascript">']),
  inFile(method('<editFile><append>x</append></editFile>'), 'an edit of no file', '4:1', '<editFile> needs a path', [
    '<editFile>',
    '<editFile path="/tmp/none" create="true">'
  ]),
  inFile(method('<editFile path="/a"><replace pattern="("/></editFile>'), 'a pattern that is none', '4:30', 'pattern', [
    '"("',
    '"[(]" with="x"'
  ]),
  inFile(method('<wait/>'), 'a wait for nothing', '4:1', '<wait>', ['<wait/>', '<wait seconds="0"/>'])
]
