/** Shell scripts as their top-level commands, by the parser of shfmt. */
import { basename } from 'node:path'
import type { File, Stmt } from 'sh-syntax'
import { scriptInvalid } from '../../goals/frontends/shell/region.ts'
import type { Command, Script } from '../../goals/frontends/shell/script.ts'
import { ownWords, replaceExpanded } from '../../goals/frontends/shell/words.ts'

/** Longest script, in bytes: what people write by hand, several times over. */
export const SCRIPT_BYTES_MAX = 256 * 1024

/** Stands for `$0`, which in a step is the shell. */
const SELF = 'SCRIPT_FILE'

/**
 * @param file as it is called in messages
 * @param path absolute
 * @param directory where the script would be started, absolute
 * @throws CloudburstError CB_SCRIPT_INVALID with `file:line:col: reason`
 */
export async function parseScript(bytes: Buffer, file: string, path: string, directory: string): Promise<Script> {
  if (bytes.length > SCRIPT_BYTES_MAX) throw scriptInvalid(file, 1, 1, `the script is longer than ${SCRIPT_BYTES_MAX} bytes`)
  const text = bytes.toString('utf8')
  if (!Buffer.from(text).equals(bytes)) throw scriptInvalid(file, 1, 1, 'the script is not UTF-8')
  const carriage = text.indexOf('\r')
  if (carriage !== -1)
    throw scriptInvalid(
      file,
      text.slice(0, carriage).split('\n').length,
      1,
      'a carriage return ends this line, which no shell expects: try dos2unix'
    )
  const [, interpreter = ''] = /^#!\s*([^\n]*)/.exec(text) ?? []
  const [, language = 'bash'] = /(?:^|\/|\s)([\w.-]+)(?:\s+-\w*)*\s*$/.exec(interpreter) ?? []
  if (!['bash', 'sh', 'dash'].includes(language))
    throw scriptInvalid(file, 1, 1, `the script is for ${language}; sh, dash and bash are understood`)
  const commands = split(bytes, await parsed(text, file)).map(command => ({
    ...command,
    text: replaceExpanded(command.text, self, `$1${SELF}`)
  }))
  const usesSelf = commands.some(({ text: command }) => command.includes(SELF))
  const own: Command = { text: `${SELF}='${path.replaceAll("'", "'\\''")}'`, line: 1, col: 1, comments: [], background: false }
  return { file, path, directory, interpreter, commands: usesSelf ? [own, ...commands] : commands }
}

/** `$0`, `${0##*\/}`, `${BASH_SOURCE[0]}`. */
const self = /(\$\{?)(?:0|BASH_SOURCE(?:\[0\])?)(?![\w[])/g

async function parsed(text: string, file: string): Promise<File> {
  const { parse } = await import('sh-syntax')
  try {
    return (await parse(text, { filepath: basename(file) })) as File
  } catch (error) {
    const { Text, Pos } = error as { Text?: string; Pos?: { Line: number; Col: number } }
    throw scriptInvalid(file, Pos?.Line ?? 1, Pos?.Col ?? 1, Text ?? (error as Error).message)
  }
}

/** The bytes of each command: up to the next, so that here-documents, which stand behind their command, are in it. */
function split(bytes: Buffer, { Stmts }: File): Command[] {
  const commands: Command[] = []
  for (let at = 0; at < Stmts.length; at += 1) {
    const first = Stmts[at]!
    // behind a here-document's command on the same line the next one begins before the document does
    while (at + 1 < Stmts.length && isOnLineOfDocument(bytes, Stmts[at]!, Stmts[at + 1]!)) at += 1
    const last = Stmts[at]!
    const next = Stmts[at + 1]
    const whole = bytes.subarray(first.Pos.Offset, last.End.Offset).toString('utf8')
    const rest = bytes.subarray(last.End.Offset, next === undefined ? bytes.length : next.Pos.Offset).toString('utf8')
    const text = `${whole}${/<<-?\s*['"\\]?[\w.-]/.test(whole) ? rest : ''}`.trimEnd().replace(/(?<!;);$/, '')
    const comments = first.Comments.filter(({ Pos }) => Pos.Line < first.Pos.Line && Pos.Line > 1).map(({ Text }) => Text.trim())
    commands.push(
      ...parted({
        text,
        line: first.Pos.Line,
        col: first.Pos.Col,
        comments: comments.filter(comment => /[\p{L}\p{N}]/u.test(comment)),
        background: last.Background
      })
    )
  }
  return commands
}

function isOnLineOfDocument(bytes: Buffer, one: Stmt, next: Stmt): boolean {
  return next.Pos.Line === one.End.Line && /<<-?\s*['"\\]?[\w.-]/.test(bytes.subarray(one.Pos.Offset, one.End.Offset).toString('utf8'))
}

/** `mkdir build && cd build` is a command, and a directory for all that follows. */
function parted(command: Command): Command[] {
  const { text, background } = command
  const pieces = text.split('&&')
  if (background || pieces.length !== 2 || !/^[^\n;|&<>]+&&\s*cd\s[^\n;|&<>]+$/.test(ownWords(text))) return [command]
  return [
    { ...command, text: pieces[0]!.trimEnd() },
    { ...command, text: pieces[1]!.trimStart(), comments: [] }
  ]
}
