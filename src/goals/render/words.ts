/** How durations, exits and values read. */
import type { Exit } from '../ports.ts'
import type { Place } from '../program/model.ts'
import type { Tree } from '../tree.ts'
import { oneLine } from './escape.ts'

/** `40 ms`, `0.2 s`, `12 s`, `3 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 99.5) return `${Math.max(0, Math.round(ms))} ms`
  const seconds = ms / 1000
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** `exit 1`, `killed by SIGTERM`, `timed out after 60 s`. */
export function exitText(exit: Exit): string {
  switch (exit.kind) {
    case 'exited':
      return `exit ${exit.code}`
    case 'signalled':
      return `ended by ${exit.signal}`
    case 'timed-out':
      return `timed out after ${duration(exit.afterMs)}`
    case 'not-started':
      return `not started: ${oneLine(exit.message)}`
    case 'stopped':
      return 'stopped on request'
    case 'lost':
      return 'nobody knows how it ended'
  }
}

/** `quickstart.xml:31:7` */
export function placeText(place: Place): string {
  return `${oneLine(place.file)}:${place.line}:${place.col}`
}

/** A value in one line: scalars as they are, structs and lists as JSON, what is sealed as `***`. */
export function valueText(value: unknown, width = 80): string {
  if (!isTree(value)) return oneLine(value === undefined ? '' : (JSON.stringify(value) ?? ''), width)
  if (value.sealed !== undefined) return '***'
  if (value.unknown) return '(not known yet)'
  if (value.value !== undefined) return oneLine(String(value.value), width)
  if (value.ref !== undefined) return oneLine(`-> ${value.ref}`, width)
  if (value.fields === undefined && value.items === undefined) return '(undefined)'
  return oneLine(JSON.stringify(plainOf(value)), width)
}

/** `word` as one word of a POSIX shell. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function plainOf(tree: Tree): unknown {
  if (tree.sealed !== undefined) return '***'
  if (tree.fields !== undefined) return Object.fromEntries(Object.entries(tree.fields).map(([name, field]) => [name, plainOf(field)]))
  if (tree.items !== undefined) return tree.items.map(plainOf)
  return tree.value ?? (tree.ref === undefined ? null : `-> ${tree.ref}`)
}

/** `drift: 1 of 3 goals …`: of what was true once. */
export function driftText({ checked, drifted }: { readonly checked: number; readonly drifted: number }): string {
  return `drift: ${drifted} of ${checked} goals that were true are so no longer, or cannot be looked at`
}
