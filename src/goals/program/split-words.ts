/**
 * An ssh prefix as arguments: split by the rules of a POSIX shell (blanks, quotes, backslash) before any value
 * is known, so that a value can never add an argument. Nothing is expanded.
 */
import type { Expression, Place, Template } from './model.ts'

/** Why a prefix cannot be split. */
export interface SplitFault {
  readonly place: Place
  readonly message: string
}

/** The arguments of a prefix, each a template; or what is wrong with it. */
export function splitWords(template: Template): readonly Template[] | SplitFault {
  const words: Expression[][] = []
  let word: Expression[] | undefined
  let quote: '"' | "'" | undefined
  let quoteAt: Place | undefined

  const add = (text: string, place: Place): void => {
    word ??= []
    const last = word.at(-1)
    if (last?.kind === 'text') word[word.length - 1] = { ...last, text: last.text + text }
    else if (text !== '') word.push({ kind: 'text', text, place })
  }
  const close = (): void => {
    if (word !== undefined) words.push(word)
    word = undefined
  }

  for (const part of template) {
    if (part.kind !== 'text') {
      word ??= []
      word.push(part)
      continue
    }
    const { text, place } = part
    for (let at = 0; at < text.length; at += 1) {
      const char = text[at]!
      if (quote === undefined && /\s/.test(char)) close()
      else if (quote === undefined && (char === '"' || char === "'")) {
        quote = char
        quoteAt = place
        add('', place)
      } else if (char === quote) quote = undefined
      else if (char === '\\' && quote !== "'") {
        const next = text[at + 1]
        if (next === undefined) return { place, message: 'a backslash at the end quotes nothing' }
        // between double quotes a backslash is itself unless it stands before one of these
        add(quote === '"' && !'$`"\\\n'.includes(next) ? char + next : next === '\n' ? '' : next, place)
        at += 1
      } else add(char, place)
    }
  }
  if (quote !== undefined) return { place: quoteAt!, message: `the quote ${quote} is never closed` }
  close()
  return words
}
