/** What was typed, with what is missing: one whole command to paste. */
import { CloudburstError } from '../errors.ts'
import { shellWord } from '../goals/render/words.ts'

/** The lines of an incomplete configuration, their command replaced by `words` as typed and what is proposed; other errors as they are. */
export function withTypedCommand(error: unknown, words: readonly string[]): unknown {
  if (!(error instanceof CloudburstError) || error.code !== 'CB_CONFIG_INCOMPLETE') return error
  const { lines, proposed, secret } = error.details
  if (!Array.isArray(lines) || !Array.isArray(proposed)) return error
  const command = suggestedWords(words, proposed, Array.isArray(secret) ? secret : [])
  const told = [...lines.slice(0, -1), `  ${['cloudburst', ...command].map(shellWord).join(' ')}`]
  return new CloudburstError(error.code, error.message, { ...error.details, lines: told }, error.cause)
}

/** `words` without those that give what is proposed anew, and without secrets. */
function suggestedWords(words: readonly string[], proposed: readonly string[], secret: readonly string[]): readonly string[] {
  const asked = new Set(proposed.map(pathOf))
  const hidden = new Set(secret)
  const kept: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '--') break
    const set = word === '--set' ? words[at + 1] : word.startsWith('--set=') ? word.slice('--set='.length) : undefined
    const path = pathOf(set ?? word)
    if (word === '--set') at++
    if (path !== undefined && asked.has(path)) continue
    if (path !== undefined && hidden.has(path) && !/=@(env|file|command):/.test(set ?? word)) kept.push(`${path}=`)
    else kept.push(set ?? word)
  }
  return [...kept, ...proposed]
}

function pathOf(word: string): string | undefined {
  return word.startsWith('-') || !word.includes('=') ? undefined : word.slice(0, word.indexOf('='))
}
