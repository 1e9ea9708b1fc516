/** Which commands cannot be parted, and which cannot be steps at all. */
import { CloudburstError } from '../../../errors.ts'
import { neededBy, type Item } from './prelude.ts'
import type { Command, Meaning, Script } from './script.ts'
import { expandable, ownWords, readsOf, writesOf } from './words.ts'

/** The last command that must be in one step with that at `from`, and why. */
export function regionEnd(commands: readonly Command[], meanings: readonly Meaning[], from: number): { last: number; why: string } {
  const functions = commands.flatMap((command, at): Item[] => {
    const meaning = meanings[at]!
    return meaning.kind === 'function' ? [{ pieces: [command.text], name: meaning.name, function: true }] : []
  })
  let last = from
  let why = ''
  for (let at = from; at <= last; at += 1) {
    const found = reachOf(commands, meanings, at, functions, last > from)
    if (found !== undefined && found.last > last) {
      last = found.last
      if (why === '') why = found.why
    }
  }
  return { last, why }
}

type Reach = { last: number; why: string } | undefined

function reachOf(
  commands: readonly Command[],
  meanings: readonly Meaning[],
  at: number,
  functions: readonly Item[],
  inside: boolean
): Reach {
  const { text, background } = commands[at]!
  const { kind } = meanings[at]!
  const end = commands.length - 1
  if (kind === 'function') return undefined
  const next = commands[at + 1]
  if (next !== undefined && /\$\?|\$\{\?|PIPESTATUS/.test(expandable(next.text)))
    return furthest({ last: at + 1, why: '$? is the status of the command before' }, written())
  if (kind !== 'command' && !(inside && kind === 'variable')) return undefined
  const own = ownWords(text)
  const word = shellWord.exec(own)?.[1]
  if (kind === 'command' && word !== undefined) return { last: end, why: `${word} changes the shell for the commands after it` }
  if (/[\w-]+\s*\(\)\s*[{(]/.test(own)) return { last: end, why: 'a function is defined on a condition' }
  const all = [text, ...neededBy(text, functions).flatMap(item => item.pieces as string[])].map(ownWords).join('\n')
  if (/(?<![\w-])exit(?!\s+[1-9])\b/.test(all)) return { last: end, why: 'exit may end the script here without a failure' }
  if (background) {
    const waiting = commands.findLastIndex(
      ({ text: later }, index) => index > at && /(?<![\w-])(?:wait|jobs|fg|kill\s+%)\b|\$!/.test(expandable(later))
    )
    if (waiting !== -1) return furthest({ last: waiting, why: '& starts what a later command waits for' }, written())
  }
  return written()

  function written(): Reach {
    const writes = new Set(
      [text, ...neededBy(text, functions).flatMap(item => item.pieces as string[])].flatMap(part => [...writesOf(withoutPrefix(part))])
    )
    let found: Reach
    for (let later = at + 1; later <= end && writes.size > 0; later += 1) {
      const parts = [commands[later]!.text, ...neededBy(commands[later]!.text, functions).flatMap(item => item.pieces as string[])]
      const used = [...writes].find(name => parts.some(part => readsOf(part).has(name)) && !setsFirst(commands[later]!.text, name))
      if (used !== undefined) found = { last: later, why: `${used} is set here and used later` }
    }
    return found
  }
}

function furthest(one: Reach, other: Reach): Reach {
  return other === undefined || (one !== undefined && one.last >= other.last) ? one : other
}

/** Words that change the shell itself, where a command begins. */
const shellWord =
  /(?:^|[;&|\n{]\s*|(?<![\w-])(?:then|do|else|elif|if|while|until|!)\s+)(trap|exec|pushd|popd|eval|coproc|cd|export|readonly|set|shopt|umask|source|\.|alias)(?=\s)/

/** `X=1 command`: X is for that command only. */
function withoutPrefix(text: string): string {
  return text.replace(/^(?:[A-Za-z_]\w*=(?:"[^"]*"|'[^']*'|[^\s"'()`;&|])*[ \t]+)+(?=[^\s;&|])/, '')
}

/** Whether the first that `text` does with a variable is to set it, as loops do with theirs. */
function setsFirst(text: string, name: string): boolean {
  const shown = expandable(text)
  const first = shown.search(new RegExp(`\\$\\{?${name}\\b`))
  const set = shown.search(new RegExp(`\\b(?:for|read(?:\\s+-\\w+)*)\\s+${name}\\b|^${name}=`))
  return set !== -1 && set < first
}

/**
 * Refuses what has no meaning in a step.
 * @throws CloudburstError CB_SCRIPT_INVALID
 */
export function checkRegion({ file }: Script, commands: readonly Command[], meanings: readonly Meaning[]): void {
  commands.forEach((command, at) => {
    const meaning = meanings[at]!
    const { text } = command
    const refuse = (message: string): never => {
      throw scriptInvalid(file, command.line, command.col, message)
    }
    const odd = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/.exec(text)?.[0]
    if (odd !== undefined)
      refuse(
        `the character U+${odd.charCodeAt(0).toString(16).padStart(4, '0')} cannot stand in XML: write it as $'\\x${odd.charCodeAt(0).toString(16).padStart(2, '0')}'`
      )
    if (meaning.kind === 'function' || (meaning.kind === 'variable' && meaning.argument !== undefined)) return
    if (/\$(?:[@*#]|\{[@*]|\{#[@*]?\})/.test(expandable(text)) || /(?:^|[;&|\n]\s*)(?:shift|getopts)\b/.test(ownWords(text)))
      refuse('a goal has no list of arguments: give each a name at the top, as in VERSION=${1:-1.0}, and use that')
    if (/^(?:read|select)\b/.test(text) && !text.includes('<'))
      refuse('a step has no terminal to read from: make it an argument, as in NAME=$1')
  })
}

/** A script that cannot be a program, with the place of the reason. */
export function scriptInvalid(file: string, line: number, col: number, message: string): CloudburstError {
  return new CloudburstError('CB_SCRIPT_INVALID', `${file}:${line}:${col}: ${message}`, { file, line, col })
}
