/** A script → the text of a program that does the same, step by step. */
import { outlineOf, type Step } from './steps.ts'
import type { Piece } from './prelude.ts'
import type { Script } from './script.ts'

/** A program's text, and remarks as `file:line:col: …`. */
export interface Converted {
  readonly text: string
  readonly notes: readonly string[]
}

/**
 * @param name of the program and its goal; can be part of a path
 * @throws CloudburstError CB_SCRIPT_INVALID with `file:line:col: reason`
 */
export function programOfScript(name: string, script: Script): Converted {
  const { parameters, steps, notes } = outlineOf(script, unused('directory', script))
  const shell = shellOf(script.interpreter)
  const needed = parameters.filter(({ text }) => text === undefined)
  const text = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!--',
    `  Made from ${safeComment(script.file)}: each of its commands is a step. A goal that fails waits at the step that failed; what was done stays done.`,
    '',
    `    cloudburst plan ${name}.xml ${name}${needed.map(parameter => ` goal.${parameter.name}=`).join('')}`,
    `    cloudburst pursue ${name}.xml ${name}${needed.map(parameter => ` goal.${parameter.name}=`).join('')}`,
    '',
    '  Each step is a process of its own, so what it needs of the lines before stands at its beginning.',
    '-->',
    `<cloudburst name="${name}">`,
    `  <goalProto name="${name}">`,
    `    <describe>What ${escaped(script.file.split('/').at(-1)!)} does</describe>`,
    ...parameters.map(parameter =>
      parameter.text === undefined
        ? `    <variable name="${parameter.name}"/>`
        : `    <variable name="${parameter.name}">${escaped(parameter.text)}</variable>`
    ),
    ...needed.map(parameter => `    <pre><defined><get>goal.${parameter.name}</get></defined></pre>`),
    '',
    `    <method name="script">`,
    ...(steps.length === 0 ? [] : [`      <shell${shell}>`, ...steps.map(written), '      </shell>']),
    '    </method>',
    '  </goalProto>',
    '</cloudburst>',
    ''
  ].join('\n')
  return { text, notes }
}

function written(step: Step): string {
  const attributes = `${step.name === undefined ? '' : ` name="${step.name}"`}${step.ignored ? ' onFail="ignore"' : ''}`
  return `        <send${attributes}><describe>${escaped(step.describe)}</describe>\n${step.pieces.map(pasted).join('')}</send>`
}

function pasted(piece: Piece): string {
  return typeof piece === 'string' ? escaped(piece) : `<get quote="shell">${piece.path}</get>`
}

/** `shell="/bin/sh"` where the script asks for another than bash. */
function shellOf(interpreter: string): string {
  const [, word] = /(?:^|\/|\s)(sh|dash)(?:\s|$)/.exec(interpreter) ?? []
  return word === undefined ? '' : ` shell="/bin/${word}"`
}

function unused(name: string, { commands }: Script): string {
  let candidate = name
  while (commands.some(({ text }) => new RegExp(`\\b${candidate}\\b`).test(text))) candidate = `${candidate}_`
  return candidate
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function safeComment(text: string): string {
  return text.replaceAll('--', '- -')
}
