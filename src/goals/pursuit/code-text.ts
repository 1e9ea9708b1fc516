/** The text of a `<code>` as its interpreter gets it. Lines are those of the program, so that its errors name them. */
import { showPath } from '../expression/path.ts'
import type { CodeStatement, Expression, Path } from '../program/model.ts'
import type { Plain } from '../tree.ts'

type Get = Extract<Expression, { kind: 'get' }>
type Language = CodeStatement['language']

/** Before the code of a JavaScript block, on its first line. Results are given back at the end, however the code ends. */
const JAVASCRIPT =
  'import{readFileSync as cbRead,writeFileSync as cbWrite}from"node:fs";import{createRequire as cbRequire}from"node:module";' +
  'const require=cbRequire(process.cwd()+"/");const cb={in:JSON.parse(cbRead(process.env.CB_INPUT,"utf8")),out:{}};' +
  'process.on("exit",()=>cbWrite(process.env.CB_OUTPUT,JSON.stringify(cb.out)));'

/** Runs the file that is its first argument under the name that is its second; its own frames are left out of a traceback. */
const PYTHON = `import json, linecache, os, sys, traceback
script, name = sys.argv[1:3]
sys.argv[:] = [name]
with open(script, encoding="utf-8") as file: text = file.read()
linecache.cache[name] = (len(text), None, text.splitlines(True), name)
with open(os.environ["CB_INPUT"], encoding="utf-8") as file: given = json.load(file)
scope = {"__name__": "__main__", "__file__": name, "cb_in": given, "cb_out": {}}
def give_back():
    with open(os.environ["CB_OUTPUT"], "w", encoding="utf-8") as file: json.dump(scope["cb_out"], file)
try:
    exec(compile(text, name, "exec"), scope)
except SystemExit:
    give_back()
    raise
except BaseException as error:
    sys.stdout.flush()
    trace = error.__traceback__.tb_next if error.__traceback__ else None
    traceback.print_exception(type(error), error, trace)
    sys.exit(1)
give_back()
`

/** Arguments of the interpreter for the private file `script`. @param file what errors call it: the program's file */
export function interpreterArguments(language: Language, script: string, file: string): readonly string[] {
  return language === 'python' ? ['-c', PYTHON, script, file] : [script]
}

/** The code with every `<get>` as `value` says and every `<set>` as a place to assign to; python is dedented. */
export function codeBody(statement: CodeStatement, value: (get: Get) => string): string {
  const pieces = statement.text.map(part => {
    if (part.kind === 'set') return access(statement.language, 'out', part.path)
    return part.kind === 'get' ? value(part) : part.kind === 'text' ? part.text : ''
  })
  const body = pieces.join('').replace(/^(?:[ \t]*\r?\n)+/, '')
  return statement.language === 'python' ? dedent(body) : body
}

/** A whole file for the interpreter: the body moved to the line that it has in the program. */
export function scriptOf(statement: CodeStatement, body: string): string {
  const padding = '\n'.repeat(Math.max(0, (statement.text[0]?.place.line ?? 1) - 1))
  return (statement.language === 'python' ? '' : JAVASCRIPT) + padding + body
}

/** What stands for a value that comes, or goes, beside the code. */
export function access(language: Language, way: 'in' | 'out', path: Path): string {
  return `${language === 'python' ? `cb_${way}` : `cb.${way}`}[${JSON.stringify(showPath(path))}]`
}

/** A value as a literal of the language. */
export function literal(language: Language, value: Plain): string {
  if (language === 'javascript') return JSON.stringify(value).replace(/[\u2028\u2029]/g, char => `\\u${char.charCodeAt(0).toString(16)}`)
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value !== 'object') return JSON.stringify(value)
  if (isList(value)) return `[${value.map(item => literal(language, item)).join(', ')}]`
  const fields = Object.entries(value).map(([name, field]) => `${JSON.stringify(name)}: ${literal(language, field)}`)
  return `{${fields.join(', ')}}`
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value)
}

/** Takes away the white space that all lines begin with. Source: textwrap.dedent of Python. */
function dedent(text: string): string {
  const lines = text.split('\n')
  const margins = lines.filter(line => line.trim() !== '').map(line => /^[ \t]*/.exec(line)![0])
  let margin = margins[0] ?? ''
  for (const each of margins) while (!each.startsWith(margin)) margin = margin.slice(0, -1)
  return lines.map(line => (line.trim() === '' ? '' : line.slice(margin.length))).join('\n')
}
