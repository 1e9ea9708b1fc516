/** What is not XML, or more of it than a program may be. */
import { type Fault, goal, inFile, method, program } from './fault.ts'

const list = ['list', 'x.xml']

export const brokenXml: readonly Fault[] = [
  inFile(
    '<cloudburst>\n<a>\n</cloudburst>',
    'an element that is never closed',
    '3:1',
    'expected </a> for the <a> of line 2',
    ['</cloudburst>', '</a></cloudburst>'],
    list
  ),
  inFile(
    '<cloudburst>\n<struct name="s">\n',
    'a file that ends too soon',
    '2:1',
    '<struct> is never closed',
    ['<struct name="s">', '</cloudburst>'],
    list
  ),
  inFile(
    program('<struct name="s></struct>'),
    'a quote that is never closed',
    '3:17',
    'disallowed character',
    ['name="s>', 'name="s">'],
    list
  ),
  inFile(program('<struct name=s/>'), 'an attribute without quotes', '3:14', 'unquoted attribute value', ['=s', '="s"'], list),
  inFile(
    program('<struct name="a" name="b"/>'),
    'an attribute given twice',
    '3:18',
    'the attribute name is given twice',
    [' name="b"', ''],
    list
  ),
  inFile(method('<shell><send>a && b</send></shell>'), 'a bare ampersand', '4:16', 'a bare & is written &amp;', ['&&', '&amp;&amp;'], list),
  inFile(method('<shell><send>a < b</send></shell>'), 'a bare less-than', '4:17', 'a bare < is written &lt;', ['a <', 'a &lt;'], list),
  inFile(method('<shell><send>echo &nbsp;</send></shell>'), 'an entity of HTML', '4:24', 'undefined entity', ['&nbsp;', '&#160;'], list),
  inFile('<!DOCTYPE x>\n<cloudburst name="x"/>', 'a DOCTYPE', '1:1', 'DOCTYPE is not allowed', ['<!DOCTYPE x>', ''], list),
  inFile('<cloudburst name="x"/>\nmore', 'text after the end', '2:1', 'text outside of the root element', ['more', ''], list),
  inFile('<cloudburst name="x"/>\n<cloudburst/>', 'two roots', '2:1', 'a second root element', ['<cloudburst/>', ''], list),
  inFile('\n', 'an empty file', '1:1', 'document must contain a root element', ['', '<cloudburst/>'], list),
  inFile(program('<!-- a -- b -->'), 'two dashes in a comment', '3:10', 'malformed comment', ['a -- b', 'a b'], list),
  inFile(program('<a:b/>'), 'a name with a colon', '3:1', 'unknown element <a:b>', ['<a:b/>', ''], [...list, '--strict']),
  inFile(
    program(`${'<struct name="s">'.repeat(70)}${'</struct>'.repeat(70)}`),
    'too many levels',
    '3:1072',
    'nested deeper than 64',
    [`${'<struct name="s">'.repeat(70)}${'</struct>'.repeat(70)}`, ''],
    list
  ),
  inFile(program('\u0007'), 'a control character', '3:1', 'disallowed character', ['\u0007', ''], list),
  inFile(
    '<program name="x"/>\n',
    'another root',
    '1:1',
    'the root of a program is <cloudburst name="…">, not <program>',
    ['program', 'cloudburst'],
    list
  ),
  inFile(program('</goalProto>'), 'an end without a beginning', '3:1', 'expected </cloudburst>', ['</goalProto>', ''], list),
  inFile(goal('<describe>a</Describe>'), 'an end in capitals', '3:12', 'expected </describe>', ['</Describe>', '</describe>'], list)
]
