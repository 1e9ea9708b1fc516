/**
 * Where in a shell text one is: enough of POSIX shell and bash syntax to know whether a quoted value may stand here.
 * Errs on the side of "no": what it does not understand is taken for a place where quoting is not safe.
 */

/** What surrounds the next character. `closed`: quoting is not safe here. */
export type Surrounding = 'bare' | 'double' | 'closed'

type Nested = 'double' | 'paren' | 'backtick' | 'brace'

/** Follows a shell text piece by piece. */
export class ShellText {
  private readonly nested: Nested[] = []
  private single: false | 'plain' | 'ansi' = false
  private comment = false
  private escaped = false
  private previous = '\n'
  /** A here-document begins after this line. */
  private hereSoon = false
  private here = false

  /** Text of the author's own. */
  feed(text: string): void {
    for (let at = 0; at < text.length; at += 1) this.take(text[at]!, text[at + 1], text[at - 1])
  }

  /** A value was pasted here. */
  feedValue(): void {
    this.previous = 'x'
    this.escaped = false
  }

  /** Whether a word begins here: a `-` would be read as an option. */
  get atWordStart(): boolean {
    return this.surrounding === 'bare' && /[\s;&|(`]/.test(this.previous)
  }

  /** Whether a `$` or backslash before this place would change what follows. */
  get afterSpecial(): boolean {
    return this.escaped || (this.previous === '$' && !this.single)
  }

  get surrounding(): Surrounding {
    if (this.single !== false || this.comment || this.here || this.nested.includes('backtick') || this.nested.includes('brace'))
      return 'closed'
    return this.nested.at(-1) === 'double' ? 'double' : 'bare'
  }

  private take(char: string, next: string | undefined, before: string | undefined): void {
    if (char === '\n' && this.hereSoon) this.here = true
    if (this.single !== false) this.takeInSingle(char)
    else if (this.comment) this.comment = char !== '\n'
    else if (this.escaped) this.escaped = false
    else if (char === '\\') this.escaped = true
    else if (this.nested.at(-1) === 'double') this.takeInDouble(char, next)
    else this.takeBare(char, next, before)
    this.previous = char
  }

  private takeInSingle(char: string): void {
    if (this.escaped) this.escaped = false
    else if (char === '\\' && this.single === 'ansi') this.escaped = true
    else if (char === "'") this.single = false
  }

  private takeInDouble(char: string, next: string | undefined): void {
    if (char === '"') this.nested.pop()
    else this.takeExpansion(char, next)
  }

  private takeBare(char: string, next: string | undefined, before: string | undefined): void {
    if (char === "'") this.single = this.previous === '$' ? 'ansi' : 'plain'
    else if (char === '"') this.nested.push('double')
    else if (char === '#' && /[\s;&|(]/.test(this.previous)) this.comment = true
    else if (char === '(' && this.nested.at(-1) === 'paren') this.nested.push('paren')
    else if (char === ')' && this.nested.at(-1) === 'paren') this.nested.pop()
    else if (char === '}' && this.nested.at(-1) === 'brace') this.nested.pop()
    else if (char === '<' && next === '<' && before !== '<') this.hereSoon = true
    else this.takeExpansion(char, next)
  }

  private takeExpansion(char: string, next: string | undefined): void {
    if (char === '`') {
      if (this.nested.includes('backtick')) this.nested.length = this.nested.lastIndexOf('backtick')
      else this.nested.push('backtick')
    } else if (this.previous === '$' && char === '(') this.nested.push('paren')
    else if (char === '$' && next === '{') this.nested.push('brace')
  }
}

/** `text` as one word of a POSIX shell, whatever it contains. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
