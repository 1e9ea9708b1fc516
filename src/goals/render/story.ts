/** What is known of a goal while its events are told: enough to tell the next one. */
import type { GoalEventBody } from '../pursuit/events.ts'
import type { StepReport, Suspension } from '../pursuit/summary.ts'
import type { Place } from '../program/model.ts'
import { oneLine } from './escape.ts'
import { type Paint, paint } from './paint.ts'
import { duration, placeText } from './words.ts'

export interface RenderOptions {
  /** `-n`: `# BEGIN` and `# END` of goals, methods and described statements. */
  readonly narrate: boolean
  /** `-g`: configuration of goals, and every method with its verdict. */
  readonly goals: boolean
  /** `-e`: commands before they run, and their output. */
  readonly echo: boolean
  /** `-l`: FILE:LINE before each line; implies the three above. */
  readonly lines: boolean
  /** `-v`, counted: 1 adds the values that were read, 2 the events themselves. */
  readonly verbose: number
  readonly colour: boolean
  /** Words that a pasted repair command needs; see ReportOptions. */
  readonly suffix: readonly string[]
}

/** One kind of event. */
export type Of<T extends GoalEventBody['type']> = Extract<GoalEventBody, { readonly type: T }>

/** A step that has begun and not ended. */
export interface OpenStep {
  readonly began: Of<'step-began'>
  readonly at: number
  /** Output of an unfinished line. */
  readonly held: { stdout: string; stderr: string }
}

/** A goal or sub-goal that was entered. */
export interface Entered {
  readonly goal: string
  readonly describe: string | undefined
  /** When it was entered, epoch milliseconds. */
  readonly at: number
  isOpen: boolean
  /** The program wants it to be told in full. */
  readonly debug: boolean
  method?: Of<'method-chosen'>
}

export interface Story {
  readonly options: RenderOptions
  readonly paints: Paint
  readonly open: Map<string, OpenStep>
  readonly entered: Map<string, Entered>
  /** Steps that are done, as a person knows them. */
  readonly kept: string[]
  readonly counts: { done: number; failed: number }
  candidates: Suspension['candidates']
  /** The last failure, until it is told. */
  failure: StepReport | undefined
  /** Of a goal that pursues nothing and looks at what others have reached: how many of them, and how many are not true. */
  drift: { checked: number; drifted: number } | undefined
  /** Waiting for a decision about its next step. */
  stepping: boolean
  /** When the goal was last set to work, epoch milliseconds; undefined while it waits. */
  since: number | undefined
  /** Milliseconds at work before that: waiting for a person is not counted. */
  worked: number
}

export function newStory(given: RenderOptions): Story {
  const options = given.lines ? { ...given, narrate: true, goals: true, echo: true } : given
  const paints = paint(options.colour)
  const counts = { done: 0, failed: 0 }
  return {
    options,
    paints,
    open: new Map(),
    entered: new Map(),
    kept: [],
    counts,
    candidates: [],
    failure: undefined,
    drift: undefined,
    stepping: false,
    since: undefined,
    worked: 0
  }
}

/** `line` with FILE:LINE before it when that is wanted. */
export function placed({ options }: Story, { file, line: number }: Place, line: string): string {
  return options.lines ? `${oneLine(file)}:${number}: ${line}` : line
}

/** `# BEGIN NAME : text` */
export function narrated(word: 'BEGIN' | 'END', name: string, text: string | undefined): string {
  return `# ${word.padEnd(5)} ${oneLine(name)}${text === undefined ? '' : ` : ${oneLine(text)}`}`
}

/** `2 done, 1 failed, 3.2 s`, and the clock stopped. */
export function totals(story: Story, at: number): string {
  story.worked += at - (story.since ?? at)
  story.since = undefined
  return `${story.counts.done} done, ${story.counts.failed} failed, ${duration(story.worked)}`
}

/** `file:line:col`, for a step that is told about. */
export function whereOf(failure: StepReport): string {
  return `${placeText(failure.place)}: ${oneLine(failure.show, 160)}`
}
