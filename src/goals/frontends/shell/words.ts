/** Looking into shell text that is known to be well-formed: what is quoted, which words assign. */

/** One `name=value` with the value as written. */
export interface Assignment {
  readonly name: string
  readonly append: boolean
  readonly value: string
}

const quoted = /\\[\s\S]|'[^']*'|(?<=^|\s)#[^\n]*|"(?:\\[\s\S]|[^"\\])*"/g

/** `text` without what no shell expands: parts in single quotes, comments, here-documents with a quoted end. */
export function expandable(text: string): string {
  const { commands, bodies } = withoutDocuments(text)
  const shown = commands.replace(quoted, part => (part.startsWith('"') ? withoutEscapes(part) : ' '))
  return [shown, ...bodies.map(withoutEscapes)].join('\n')
}

function withoutEscapes(text: string): string {
  return text.replace(/\\[\s\S]/g, '  ')
}

/** `text` with all that is quoted, commented, or in a subshell or substitution made `q`: what this shell itself does. */
export function ownWords(text: string): string {
  let bare = withoutDocuments(text).commands.replace(/"(?:\\[\s\S]|[^"\\])*"|\\[\s\S]|'[^']*'|(?<=^|\s)#[^\n]*/g, part =>
    part.startsWith('#') || part === '\\\n' ? ' ' : 'q'
  )
  for (let before = ''; before !== bare; ) {
    before = bare
    bare = bare.replace(/(?:[$<>]|(?<![\w)]\s*))\([^()]*\)/g, 'q')
  }
  return bare
}

/** Replaces `pattern` where it is not in single quotes, escaped, or in a comment. */
export function replaceExpanded(text: string, pattern: RegExp, by: string): string {
  return text
    .replace(quoted, part => (part.startsWith('"') && !part.includes("'") ? part : hide(part)))
    .replace(pattern, by)
    .replace(/\uE000(\d+)\uE001/g, (_, code) => String.fromCharCode(Number(code)))
}

/** Dollars that mean nothing, put where no pattern finds them. */
function hide(part: string): string {
  return part.startsWith('"') ? part : part.replaceAll('$', '\uE00036\uE001')
}

/** Here-documents apart: the commands with `<<` words and no bodies, and the bodies in which something is expanded. */
function withoutDocuments(text: string): { commands: string; bodies: string[] } {
  const bodies: string[] = []
  const commands = text.replace(
    /<<(-?)\s*(['"\\]?)([\w.-]+)\2([^\n]*\n)([\s\S]*?)(?:^|\n)(\t*)\3(?=\n|$)/g,
    (_, _dash, mark: string, _end, rest: string, body: string) => {
      if (mark === '') bodies.push(body)
      return `< q${rest}`
    }
  )
  return { commands, bodies }
}

/** The assignments that `text` consists of; undefined when it is anything else. */
export function assignmentsOf(text: string): Assignment[] | undefined {
  const found: Assignment[] = []
  let rest = text.trim()
  while (rest !== '') {
    const [head, name, plus] = /^([A-Za-z_]\w*)(\+)?=/.exec(rest) ?? []
    if (head === undefined) return undefined
    const length = wordLength(rest, head.length)
    found.push({ name: name!, append: plus !== undefined, value: rest.slice(head.length, length) })
    rest = rest.slice(length)
    if (/^[;&|<>(]/.test(rest)) return undefined
    rest = rest.trimStart()
  }
  return found
}

/** Where the word ends that goes on at `from`. */
function wordLength(text: string, from: number): number {
  const nested: string[] = []
  let at = from
  for (; at < text.length; at += 1) {
    const char = text[at]!
    const inside = nested.at(-1)
    if (char === '\\' && inside !== "'") at += 1
    else if (inside === "'") char === "'" && nested.pop()
    else if (char === inside) nested.pop()
    else if (char === '$' && (text[at + 1] === '(' || text[at + 1] === '{')) {
      nested.push(text[at + 1] === '(' ? ')' : '}')
      at += 1
    } else if (char === '"' || char === '`') nested.push(char)
    else if (char === "'" && inside !== '"') nested.push("'")
    else if (char === '(' && inside === ')') nested.push(')')
    else if (inside === undefined && /[\s;&|<>()]/.test(char)) break
  }
  return at
}

/** The text that a word stands for when nothing in it is expanded; undefined otherwise. */
export function literalOf(word: string): string | undefined {
  const pieces = word.match(/'[^']*'|"(?:\\[\s\S]|[^"\\$`])*"|\\[\s\S]|[\w./:@%+=,^-]+/g) ?? []
  if (pieces.join('') !== word) return undefined
  return pieces
    .map(piece => {
      if (piece.startsWith("'")) return piece.slice(1, -1)
      if (piece.startsWith('"'))
        return piece
          .slice(1, -1)
          .replace(/\\([$`"\\])/g, '$1')
          .replace(/\\\n/g, '')
      return piece.startsWith('\\') ? piece.slice(1) : piece
    })
    .join('')
}

/** Names of the variables that `text` reads. */
export function readsOf(text: string): Set<string> {
  const shown = expandable(text)
  const names = [...shown.matchAll(/\$(?:\{[#!]?)?([A-Za-z_]\w*)/g)].map(([, name]) => name!)
  const sums = [...shown.matchAll(/\(\(([^()]*)\)\)/g)].flatMap(([, sum]) => sum!.match(/[A-Za-z_]\w*/g) ?? [])
  const tests = [...shown.matchAll(/-v\s+"?([A-Za-z_]\w*)/g)].map(([, name]) => name!)
  return new Set([...names, ...sums, ...tests])
}

/** Names of the variables that `text` sets for what comes after it; those of its subshells too, which is more than needed. */
export function writesOf(text: string): Set<string> {
  const shown = expandable(text)
  const local = new Set(
    [...shown.matchAll(/\b(?:local|declare|typeset)[ \t]+((?:-\w+[ \t]+)*(?:[A-Za-z_]\w*(?:=\S*)?[ \t]*)+)/g)].flatMap(([, list]) =>
      [...list!.matchAll(/(?<![-\w=])([A-Za-z_]\w*)/g)].map(([, name]) => name!)
    )
  )
  const patterns = [
    /(?<![\w$"'-])([A-Za-z_]\w*)(?:\[[^\]]*\])?\+?=/g,
    /\bfor\s+([A-Za-z_]\w*)/g,
    /\bprintf\s+-v\s+([A-Za-z_]\w*)/g,
    /\(\(\s*([A-Za-z_]\w*)\s*(?:\+\+|--|[-+*/]?=)/g
  ]
  const names = patterns.flatMap(pattern => [...shown.matchAll(pattern)].map(([, name]) => name!))
  const lists = [...shown.matchAll(/\b(?:read|mapfile|readarray|unset)\s+((?:-\w+\s+)*[A-Za-z_]\w*(?:[ \t]+[A-Za-z_]\w*)*)/g)]
  const more = lists.flatMap(([, list]) => list!.split(/\s+/).filter(word => /^[A-Za-z_]\w*$/.test(word)))
  return new Set([...names, ...more].filter(name => !local.has(name)))
}
