/** What each top-level command of a script is for those after it. */
import type { Command, Meaning } from './script.ts'
import { assignmentsOf, literalOf, ownWords } from './words.ts'

/** Files that only set variables, so that they can be read before each step. */
const harmlessSource = /^(?:\.|source)\s+\/etc\/(?:os-release|lsb-release|default\/[\w.-]+)$/

/** The meaning of `command`; whatever is not one of the special forms is a command, a step of its own. */
export function meaningOf({ text, background }: Command): Meaning {
  if (background) return { kind: 'command' }
  const [, name, other] = /^(?:function\s+([\w.:-]+)|([\w.:-]+)\s*\(\s*\))/.exec(text) ?? []
  const defined = name ?? other
  if (defined !== undefined) return { kind: 'function', name: defined }
  if (harmlessSource.test(text)) return { kind: 'setting' }
  const own = ownWords(text)
  if (/[;&|\n<>]/.test(own)) return directoryOf(text, own) ?? assigned(text) ?? { kind: 'command' }
  if (/^set\s+[-+][A-Za-z]/.test(text) || /^(?:shopt|umask|ulimit|unset)\b/.test(text)) return { kind: 'setting' }
  const [, status] = /^exit(?:\s+(\S+))?$/.exec(text) ?? []
  if (/^exit\b/.test(text)) return { kind: 'exit', status: status ?? '0' }
  return directoryOf(text, own) ?? exportOf(text) ?? assigned(text) ?? { kind: 'command' }
}

/** `cd DIR`, also with `|| exit`. */
function directoryOf(text: string, own: string): Meaning | undefined {
  return /^cd(?:\s+[^;&|\n]+)?(?:\|\|\s*(?:exit|return)(?:\s+\d+)?\s*)?$/.test(own) && /^cd\b/.test(text)
    ? { kind: 'directory' }
    : undefined
}

function exportOf(text: string): Meaning | undefined {
  const [, rest] = /^export\s+([\s\S]+)$/.exec(text) ?? []
  if (rest === undefined || rest.startsWith('-')) return undefined
  if (/^[A-Za-z_]\w*(\s+[A-Za-z_]\w*)*$/.test(rest)) return { kind: 'export', names: rest.split(/\s+/) }
  const meaning = assigned(rest)
  return meaning?.kind === 'variable' ? { ...meaning, exported: true } : undefined
}

/** One assignment. Several at once, arrays, and empty ones are settings when nothing in them is computed. */
function assigned(text: string): Meaning | undefined {
  const list = assignmentsOf(text)
  const [only, more] = list ?? []
  if (only === undefined) return isPlainDeclaration(text) ? { kind: 'setting' } : undefined
  if (more !== undefined)
    return list!.every(({ value }) => value === '' || literalOf(value) !== undefined) ? { kind: 'setting' } : undefined
  const { name, append, value } = only
  const base = { kind: 'variable', name, exported: false } as const
  if (append) return base
  const literal = value === '' ? '' : literalOf(value)
  // an empty variable is undefined in a program, and white space at its ends is layout
  if (literal !== undefined)
    return literal !== '' && literal === literal.trim() && !literal.includes('\n') ? { ...base, literal } : { kind: 'setting' }
  const argument = argumentOf(value)
  return argument === undefined ? base : { ...base, argument }
}

/** `declare -a LIST=(a b)`, `LIST=(a b)`, `readonly X=1`: the same whenever it is run. */
function isPlainDeclaration(text: string): boolean {
  if (/[$`\n;&|<>]/.test(text.replace(/'[^']*'/g, ''))) return false
  return /^(?:declare|typeset|readonly)\s/.test(text) || /^[A-Za-z_]\w*=\([^()]*\)$/.test(text)
}

/** `$1`, `"${2:-default}"`, `${1:?why}`. */
function argumentOf(value: string): { number: number; byDefault?: string } | undefined {
  const [, plain, braced, , word] = /^"?\$(?:([1-9])|\{([1-9])(?:(:?[-?])([^{}"$`]*))?\})"?$/.exec(value) ?? []
  const number = Number(plain ?? braced)
  if (!(number > 0)) return undefined
  const byDefault = /:?-/.test(value) && word !== undefined && word.trim() !== '' ? word.replace(/^'(.*)'$/, '$1') : undefined
  return { number, ...(byDefault === undefined ? {} : { byDefault }) }
}
