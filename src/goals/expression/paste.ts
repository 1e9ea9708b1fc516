/**
 * Values into text. What may be pasted where is decided here, once, for all commands.
 * Source: docs/language.md, "Interpolation".
 */
import type { Expression, Place, Template } from '../program/model.ts'
import type { Tree } from '../tree.ts'
import { fileOf, isArtifact } from './artifacts.ts'
import { showPath } from './path.ts'
import { isSecret, MASK, showTree } from './plain.ts'
import type { Interpolated, Use } from './result.ts'
import { reveal } from './secrets.ts'
import { ShellText, shellQuote } from './shell-text.ts'
import { ask, newTrace, type Trace } from './trace.ts'

/** What an unquoted value in a command may consist of. */
const SAFE = /^[A-Za-z0-9_./:@%+=,-]*$/

/** A text made of a template. */
export interface Pasted extends Interpolated {
  /** Names in `env` whose values are secrets. */
  readonly secret: readonly string[]
}

/** `template` as text for `use`. Evaluates with the means of `outer`, but notes nothing in it. */
export function paste(template: Template, outer: Trace, use: Use): Pasted {
  const paster = new Paster(newTrace(outer.scope, outer.evaluatePart), use)
  for (const part of flatten(template)) paster.add(part)
  return paster.done()
}

/** `<string>` in a template is only more template. */
function flatten(template: Template): Expression[] {
  return template.flatMap(part => (part.kind === 'string' ? flatten(part.parts) : [part]))
}

class Paster {
  private readonly trace: Trace
  private readonly use: Use
  private readonly shell = new ShellText()
  private readonly env: Record<string, string> = {}
  private readonly secret: string[] = []
  private text = ''
  private show = ''
  private unknown = false

  constructor(trace: Trace, use: Use) {
    this.trace = trace
    this.use = use
  }

  done(): Pasted {
    const { text, show, env, unknown, secret } = this
    const { reads, wanted, errors } = this.trace
    return { text, show, env, reads, wanted, unknown: unknown || wanted.length > 0, errors, secret }
  }

  add(part: Expression): void {
    if (part.kind !== 'text') {
      this.addValue(part)
      this.shell.feedValue()
      return
    }
    this.text += part.text
    this.show += part.text
    this.shell.feed(part.text)
  }

  private addValue(part: Exclude<Expression, { kind: 'text' }>): void {
    const name = part.kind === 'get' || part.kind === 'set' ? showPath(part.path) : `<${part.kind}>`
    const faults = this.trace.errors.length
    const { tree } = this.trace.evaluatePart(part, this.trace)
    if (tree === undefined || tree.unknown || (tree.value === undefined && tree.sealed === undefined)) {
      this.show += `\${${name}}`
      if (this.trace.errors.length === faults) this.noteAbsence(name, tree, part.place)
      return
    }
    if (isSecret(tree)) this.addSecret(name, tree, part)
    else if (isArtifact(tree)) this.addFile(name, tree, part)
    else {
      const text = this.expandHome(tree)
      if (text === undefined) this.show += `\${${name}}`
      else if (text.includes('\0')) this.fail(part.place, `${name} contains a NUL character, which no command can be given`)
      else this.addText(name, text, part)
    }
  }

  /** The path of a file. A plan shows what is in it: where it will be may change until then. */
  private addFile(name: string, tree: Tree & { readonly value: string }, part: Exclude<Expression, { kind: 'text' }>): void {
    const { show } = this
    const found = fileOf(tree, this.trace)
    if ('path' in found) this.addText(name, found.path, part)
    else if ('why' in found) this.fail(part.place, `the file of ${name} cannot be had: ${found.why}`)
    else this.unknown = true
    if (!('path' in found) || this.trace.scope.inPlan) this.show = show + tree.value
  }

  private noteAbsence(name: string, tree: Tree | undefined, place: Place): void {
    if (tree?.fields !== undefined || tree?.items !== undefined)
      this.fail(place, `${name} is a ${tree.items === undefined ? 'struct' : 'list'}, not text`)
    else if (tree?.unknown || this.trace.scope.inPlan) this.unknown = true
    else this.fail(place, `${name} is undefined`)
  }

  private addText(name: string, text: string, part: Exclude<Expression, { kind: 'text' }>): void {
    const get = part.kind === 'get' ? part : undefined
    if (this.use === 'text') this.put(get?.quote === 'shell' ? shellQuote(text) : text)
    else if (get?.quote === 'none') this.addRaw(name, text, get)
    else if (this.use === 'argument') this.addArgument(name, text, part)
    else if (get?.as === 'env') this.addEnv(name, text, part.place)
    else if (get?.quote === 'shell') this.addQuoted(name, text, part.place)
    else this.addBare(name, text, part)
  }

  /** One argument of a prefix: no shell looks at it, but a program may take it for an option. */
  private addArgument(name: string, text: string, part: Expression): void {
    if (this.text === '' && text.startsWith('-'))
      this.fail(part.place, `${name} is '${text}' (${this.origin(part)}): it would be read as an option of the prefix`)
    this.put(text)
  }

  /** Unquoted in a shell text: only what no shell finds anything special in. */
  private addBare(name: string, text: string, part: Expression): void {
    const ways = 'use <get quote="shell"> or <get as="env">'
    if (!SAFE.test(text))
      this.fail(
        part.place,
        `${name} is '${showTree({ value: text })}' (${this.origin(part)}), which a shell would not take as plain text: ${ways}`
      )
    else if (this.shell.afterSpecial)
      this.fail(part.place, `${name} stands after a $ or backslash, which would change its meaning: ${ways}`)
    else if (text.startsWith('-') && this.shell.atWordStart)
      this.fail(part.place, `${name} is '${text}' (${this.origin(part)}): it would be read as an option: ${ways}`)
    this.put(text)
  }

  private addQuoted(name: string, text: string, place: Place): void {
    const problem = this.shell.afterSpecial
      ? 'stands after a $ or backslash'
      : this.shell.surrounding !== 'bare'
        ? 'stands inside quotes, a comment or a here-document'
        : undefined
    if (problem !== undefined)
      this.fail(place, `<get quote="shell">${name}</get> ${problem}: it brings its own quotes, so let it stand by itself`)
    this.put(shellQuote(text))
  }

  private addEnv(name: string, text: string, place: Place): void {
    if (this.use === 'prefixed')
      this.fail(place, `${name} cannot be passed as="env": the environment does not pass the prefix; use <get quote="shell">`)
    else this.put(this.reference(this.toEnv(name, text), name, place))
  }

  /** `"$NAME"`, or without its quotes where the author has put some. */
  private reference(variable: string, name: string, place: Place): string {
    const { surrounding, afterSpecial } = this.shell
    if (surrounding === 'closed' || afterSpecial)
      this.fail(
        place,
        `${name} is passed in the environment, but no shell expands it here: take it out of the single quotes or the here-document`
      )
    return surrounding === 'double' ? `\${${variable}}` : `"\${${variable}}"`
  }

  private toEnv(name: string, text: string): string {
    const base = `CB_${name
      .toUpperCase()
      .replace(/[^A-Z0-9]+/g, '_')
      .replace(/^_|_$/g, '')}`
    let variable = base
    for (let count = 2; this.env[variable] !== undefined && this.env[variable] !== text; count += 1) variable = `${base}_${count}`
    this.env[variable] = text
    return variable
  }

  private addRaw(name: string, text: string, get: Extract<Expression, { kind: 'get' }>): void {
    const origin = this.trace.scope.origin(get.path)
    if (!origin.own)
      this.fail(get.place, `${name} comes from elsewhere (${origin.text}): only the program's own values may be pasted with quote="none"`)
    this.put(text)
  }

  /** By environment into a command, as it is into a private file, never into an argument list. */
  private addSecret(name: string, tree: Tree, part: Expression): void {
    this.show += MASK
    const found = tree.sealed === undefined ? { secret: String(tree.value) } : reveal(tree, this.trace)
    const text = 'secret' in found ? found.secret : undefined
    if (this.use === 'argument' || this.use === 'prefixed') {
      this.fail(part.place, `${name} is a secret and would be seen in the list of processes: write it to a <tempFile>`)
    } else if (text === undefined) {
      if ('later' in found) this.unknown = true
      else this.fail(part.place, `the secret ${name} cannot be had now${'why' in found ? `: ${found.why}` : ''}`)
    } else if (this.use === 'text') this.text += text
    else {
      const variable = this.toEnv(name, text)
      this.secret.push(variable)
      this.text += this.reference(variable, name, part.place)
    }
  }

  /** `~` stands for the home directory in a localFilePath, and nowhere else. Undefined while that is not known. */
  private expandHome(tree: Tree): string | undefined {
    const text = String(tree.value)
    if (tree.type !== 'localFilePath' || !/^~(\/|$)/.test(text)) return text
    const fact = ask(this.trace, { kind: 'env', name: 'HOME' })
    if (fact === undefined) return undefined
    return fact.kind === 'text' && fact.value !== undefined ? fact.value + text.slice(1) : text
  }

  private origin(part: Expression): string {
    return part.kind === 'get' ? this.trace.scope.origin(part.path).text : 'computed'
  }

  private put(text: string): void {
    this.text += text
    this.show += text
  }

  private fail(place: Place, message: string): void {
    this.trace.errors.push({ place, message })
  }
}
