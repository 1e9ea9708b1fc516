/** What to paste after a mistake in what was typed: the same command, put right. */
import { CloudburstError } from '../errors.ts'
import { closest } from '../goals/render/suggest.ts'
import { shellWord } from '../goals/render/words.ts'

/** Messages say `did you mean X?`, some with brackets around an element's name. */
const MEANT = /did you mean <?([^\s?>]+)>?\?/
const TOO_MANY = /(?:; (\S+) is too many|takes no word (\S+))$/

/**
 * A whole command to paste, or undefined when what was typed is not what is wrong. An error that knows it has its words in `details.again`.
 * @param words as typed, without `cloudburst`
 */
export function remedy(error: unknown, words: readonly string[]): string | undefined {
  if (!(error instanceof CloudburstError)) return undefined
  const { again } = error.details
  const fixed =
    (Array.isArray(again) ? (again as readonly string[]) : undefined) ??
    meant(error.message, words) ??
    fewer(error.message, words) ??
    emptied(error, words) ??
    listed(error, words)
  return fixed === undefined ? undefined : ['cloudburst', ...fixed].map(shellWord).join(' ')
}

/** The mistyped word replaced by the one that was meant. */
function meant(message: string, words: readonly string[]): readonly string[] | undefined {
  const right = MEANT.exec(message)?.[1]
  if (right === undefined) return undefined
  for (const [at, word] of words.entries()) {
    if (word === '--') return undefined
    for (const wrong of partsOf(word)) {
      // `port=80` is meant as `goal.port=80`
      const isNear = closest(wrong, [right]) !== undefined || right.endsWith(`.${wrong}`)
      const isMentioned = mentions(message, wrong) || mentions(message, wrong.split('.').at(-1)!)
      if (wrong !== right && isNear && isMentioned) return words.with(at, word.replace(wrong, right))
    }
  }
  return undefined
}

/** What could be mistyped in one word: all of it, or each part of `path=value` and `--option=path=value`. */
function partsOf(word: string): string[] {
  const at = word.indexOf('=')
  return at <= 0 ? [word] : [word.slice(0, at), ...partsOf(word.slice(at + 1))]
}

function mentions(message: string, word: string): boolean {
  return word !== '' && ` ${message} `.split(/[\s;,:'"()]+/).includes(word)
}

function fewer(message: string, words: readonly string[]): readonly string[] | undefined {
  const [, one, another] = TOO_MANY.exec(message) ?? []
  const extra = one ?? another
  const at = extra === undefined ? -1 : words.indexOf(extra)
  return at < 0 ? undefined : words.toSpliced(at, 1)
}

/** A value that does not fit is taken out, for another to be typed. */
function emptied({ code, message }: CloudburstError, words: readonly string[]): readonly string[] | undefined {
  if (code !== 'CB_VALUE_INVALID' || message.includes('cannot be set')) return undefined
  const at = words.findIndex(word => /^[^-].*=./.test(word) && mentions(message, word.slice(0, word.indexOf('='))))
  return at < 0 ? undefined : [...words.toSpliced(at, 1), words[at]!.slice(0, words[at]!.indexOf('=') + 1)]
}

/** Without the name of a goal, or with a value that has no place: what there is. */
function listed({ code, message, details }: CloudburstError, words: readonly string[]): readonly string[] | undefined {
  const { path, within } = details
  if (typeof path === 'string' && typeof within === 'string') return words.map(word => (word === path ? within : word))
  const files = words.filter(word => word.endsWith('.xml'))
  if (files.length === 0) return undefined
  if (code === 'CB_VALUE_INVALID') return ['list', ...files, '-o', 'wide']
  return message.endsWith('needs the name of a goal') ? ['list', ...files] : undefined
}
