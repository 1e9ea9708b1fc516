/**
 * A script's commands → steps of a goal. What one command leaves behind in its shell for another is either said again before
 * each step that needs it (functions, settings, directory, variables), carried as a result (computed variables), or, where
 * neither can be, kept by making one step of all of them. The steps together do what the script does.
 */
import { meaningOf } from './meaning.ts'
import { type Item, isAmbient, neededBy, type Piece, textOf } from './prelude.ts'
import { checkRegion, regionEnd } from './region.ts'
import type { Command, Meaning, Script } from './script.ts'
import { expandable, ownWords } from './words.ts'

/** Longest command that is its own description, in characters: what fits in a line of a plan. */
const DESCRIBE_LENGTH_MAX = 60

/** A variable of the goal; without a text it must be given. */
export interface Parameter {
  readonly name: string
  readonly text?: string
}

/** One `<send>`. */
export interface Step {
  readonly pieces: readonly Piece[]
  readonly describe: string
  /** Its standard output is the value of a variable. */
  readonly name?: string
  /** The script goes on when this fails. */
  readonly ignored: boolean
}

/** The goal that a script is. */
export interface Outline {
  readonly parameters: readonly Parameter[]
  readonly steps: readonly Step[]
  /** `file:line:col: …`: what a person may want to know. */
  readonly notes: readonly string[]
}

/** @throws CloudburstError CB_SCRIPT_INVALID for what only makes sense in a script */
export function outlineOf(script: Script, directoryName: string): Outline {
  const builder = new OutlineBuilder(script, directoryName)
  for (let at = 0; at < builder.commands.length; ) at = builder.take(at)
  return builder
}

class OutlineBuilder implements Outline {
  readonly parameters: Parameter[] = []
  readonly steps: Step[] = []
  readonly notes: string[] = []
  readonly commands: readonly Command[]
  private readonly meanings: readonly Meaning[]
  private readonly script: Script
  private readonly items: Item[] = []
  private readonly exported = new Set<string>()
  private errexit = false

  constructor(script: Script, directoryName: string) {
    this.script = script
    const [, flags = ''] = /\s-(\w+)/.exec(script.interpreter) ?? []
    if (flags !== '') this.setting(`set -${flags}`)
    this.parameters.push({ name: directoryName, text: script.directory })
    this.items.push({ pieces: ['cd ', { path: `goal.${directoryName}` }] })
    const all = script.commands.map(command => ({ command, meaning: meaningOf(command) }))
    const end = all.findIndex(({ meaning }) => meaning.kind === 'exit')
    const kept = end === -1 ? all : all.slice(0, (all[end]!.meaning as { status: string }).status === '0' ? end : end + 1)
    const dead = end === -1 ? undefined : all[end + 1]?.command
    if (dead !== undefined) this.note(dead, 'nothing after exit is ever run, so it is left out')
    this.commands = kept.map(({ command }) => command)
    const numbered = this.numbered(kept)
    // an argument that is used by its number stays one, also where it gets a name
    this.meanings = kept.map(({ meaning }) =>
      numbered > 0 && meaning.kind === 'variable' && meaning.argument !== undefined
        ? { kind: 'variable', name: meaning.name, exported: meaning.exported }
        : meaning
    )
  }

  /** Makes parameters of the arguments that commands use by number, and gives how many. */
  private numbered(all: ReadonlyArray<{ command: Command; meaning: Meaning }>): number {
    const most = Math.max(0, ...all.map(({ command, meaning }) => (isArgumentFree(meaning) ? 0 : highestArgument(command.text))))
    if (most === 0) return 0
    const highest = Math.max(most, ...all.map(({ command, meaning }) => (meaning.kind === 'function' ? 0 : highestArgument(command.text))))
    const paths = Array.from({ length: highest }, (_, at) => `argument${at + 1}`)
    for (const name of paths) this.parameters.push({ name })
    this.items.push({ pieces: ['set --', ...paths.flatMap((name): Piece[] => [' ', { path: `goal.${name}` }])] })
    return most
  }

  /** Takes the command at `at`, and those that cannot be parted from it; gives the place of the next. */
  take(at: number): number {
    const command = this.commands[at]!
    const region = regionEnd(this.commands, this.meanings, at)
    if (region.last > at || this.meanings[at]!.kind === 'command' || this.meanings[at]!.kind === 'exit') {
      if (region.last > at) this.note(command, `${region.why}: lines ${command.line} to ${this.commands[region.last]!.line} are one step`)
      this.addStep(at, region.last)
      for (let inner = at; inner <= region.last && region.last > at; inner += 1) this.leave(inner)
      return region.last + 1
    }
    this.remember(at)
    return at + 1
  }

  /** Something that is no step by itself. */
  private remember(at: number): void {
    const command = this.commands[at]!
    const meaning = this.meanings[at]!
    checkRegion(this.script, [command], [meaning])
    switch (meaning.kind) {
      case 'function':
        this.items.push({ pieces: [command.text], name: meaning.name, function: true })
        break
      case 'export':
        this.export(meaning.names)
        this.items.push({ pieces: [command.text] })
        break
      case 'variable':
        this.variable(command, meaning)
        break
      default:
        this.setting(command.text)
    }
  }

  /** From here on every command may look at them. */
  private export(names: readonly string[]): void {
    for (const name of names) this.exported.add(name)
    this.items.forEach((item, at) => {
      if (!item.function && item.name !== undefined && names.includes(item.name)) this.items[at] = { pieces: item.pieces }
    })
  }

  /** What a member of a longer step leaves behind for the steps after it. */
  private leave(at: number): void {
    const { kind } = this.meanings[at]!
    if (kind === 'function' || kind === 'setting' || kind === 'directory' || kind === 'export') this.remember(at)
  }

  private setting(text: string): void {
    this.items.push({ pieces: [text] })
    if (!text.startsWith('set ')) return
    const words = text.split(/\s+/).slice(1)
    words.forEach((word, index) => {
      if (/^[-+]\w*e/.test(word) || (/^[-+]\w*o$/.test(word) && words[index + 1] === 'errexit')) this.errexit = word.startsWith('-')
    })
  }

  private variable(command: Command, meaning: Meaning & { kind: 'variable' }): void {
    const { name, exported, literal, argument } = meaning
    const head = `${exported ? 'export ' : ''}${name}=`
    if (exported) this.export([name])
    const item = (pieces: readonly Piece[]): Item => ({ pieces, ...(this.exported.has(name) || isAmbient(name) ? {} : { name }) })
    if (literal !== undefined || argument !== undefined) {
      const text = literal ?? argument!.byDefault
      if (!this.parameters.some(parameter => parameter.name === name)) {
        this.parameters.push({ name, ...(text === undefined ? {} : { text }) })
        this.items.push(item([head, { path: `goal.${name}` }]))
      } else if (literal !== undefined) this.items.push(item([command.text]))
      else this.items.push(item([head, { path: `goal.${name}` }]))
    } else if (isComputed(command.text)) {
      const step = this.unique(name)
      this.addStep(this.commands.indexOf(command), this.commands.indexOf(command), step, `\nprintf '%s\\n' "$${name}"`)
      this.items.push(item([head, { path: `goal.${step}.stdout` }]))
    } else this.items.push(item([command.text]))
  }

  private addStep(from: number, last: number, name?: string, more = ''): void {
    const members = this.commands.slice(from, last + 1)
    checkRegion(this.script, members, this.meanings.slice(from, last + 1))
    const own = members.flatMap((member, index): Piece[] => [
      ...(index === 0 ? [] : ['\n']),
      ...this.memberPieces(member, this.meanings[from + index]!)
    ])
    const prelude = neededBy(textOf(own), this.items).flatMap((item): Piece[] => [...item.pieces, '\n'])
    const all = textOf([...prelude, ...own])
    const isLast = last === this.commands.length - 1
    const mayExit = /(?<![\w-])exit\s+[1-9]/.test(ownWords(all))
    // settings among its members decide for themselves what ends it
    const decides = members.some(member => member.text.startsWith('set '))
    const goesOn = !isLast && name === undefined
    const tail = goesOn && (decides || (this.errexit ? isCompound(members.at(-1)!.text) : mayExit)) ? '\ntrue' : ''
    const describe = members[0]!.comments[0] ?? firstLine(members[0]!.text)
    this.steps.push({
      pieces: [...prelude, ...own, more, tail],
      describe,
      ...(name === undefined ? {} : { name }),
      ignored: goesOn && !this.errexit && !mayExit && !decides
    })
  }

  /** The member's text; an argument of the script is a parameter here too. */
  private memberPieces(command: Command, meaning: Meaning): Piece[] {
    if (meaning.kind !== 'variable' || meaning.argument === undefined) return [command.text]
    const { name, exported, argument } = meaning
    if (!this.parameters.some(parameter => parameter.name === name))
      this.parameters.push({ name, ...(argument.byDefault === undefined ? {} : { text: argument.byDefault }) })
    return [`${exported ? 'export ' : ''}${name}=`, { path: `goal.${name}` }]
  }

  private unique(name: string): string {
    const taken = new Set([...this.parameters.map(parameter => parameter.name), ...this.steps.map(step => step.name)])
    let candidate = name
    for (let number = 2; taken.has(candidate); number += 1) candidate = `${name}_${number}`
    return candidate
  }

  private note({ line, col }: Command, text: string): void {
    this.notes.push(`${this.script.file}:${line}:${col}: ${text}`)
  }
}

/** Whether arguments in it are those of a function, or become a variable of the goal. */
function isArgumentFree(meaning: Meaning): boolean {
  return meaning.kind === 'function' || (meaning.kind === 'variable' && meaning.argument !== undefined)
}

/** 3 when `text` uses `$3` and none above; 0 without any. */
function highestArgument(text: string): number {
  return Math.max(0, ...[...expandable(text).matchAll(/\$\{?[#!]?([1-9])(?!\d)/g)].map(([, number]) => Number(number)))
}

/** Whether a value may be another when it is computed again. */
function isComputed(text: string): boolean {
  return /\$\(|`|\$\$|\$\{?(?:RANDOM|SECONDS|EPOCH\w*|BASHPID|SRANDOM)\b/.test(text.replace(/\$\(\(/g, ''))
}

/** Whether a status other than 0 need not end a script with `set -e`. */
function isCompound(text: string): boolean {
  return /&&|\|\||^!|^(?:if|for|while|until|case|select|time)\b|^\{|^\[\[|^\(\(/.test(ownWords(text)) || /^\(\(/.test(text)
}

/** A command without a comment is told by its first line. */
function firstLine(text: string): string {
  const line = text.split('\n', 1)[0]!.replace(/\s*\\$/, '')
  return line.length === text.length && line.length <= DESCRIBE_LENGTH_MAX ? line : `${line.slice(0, DESCRIBE_LENGTH_MAX)} …`
}
