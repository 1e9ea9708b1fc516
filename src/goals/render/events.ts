/**
 * The event stream of a goal as lines for people. What is printed depends on the stream and the options alone,
 * so `logs --replay` prints what the terminal showed, at any verbosity. Source: docs/language.md, "What is printed".
 */
import type { GoalEvent } from '../pursuit/events.ts'
import { oneLine } from './escape.ts'
import {
  blockEnded,
  cancelled,
  undoing,
  completed,
  configured,
  goalBegan,
  goalEnded,
  methodChosen,
  methodFailed,
  proposed,
  repaired,
  started,
  suspended
} from './goal-lines.ts'
import { liveTree } from './live.ts'
import { stepBegan, stepEnded, stepPrinted, textOf } from './step-lines.ts'
import { newStory, type RenderOptions, type Story } from './story.ts'

export type { RenderOptions } from './story.ts'

/** Nothing but steps, failures and the summary. */
export const quietest: RenderOptions = { narrate: false, goals: false, echo: false, lines: false, verbose: 0, colour: false, suffix: [] }

/** What the control API streams, as far as it is shown. */
export type RenderItem =
  | { readonly type: 'event'; readonly event: GoalEvent }
  | {
      readonly type: 'output'
      readonly step: string
      readonly attempt: number
      readonly stream: 'stdout' | 'stderr'
      readonly offset: number
      readonly text: string
    }
  | { readonly type: 'waiting'; readonly reason: string }

export interface EventRenderer {
  /** Lines that `item` adds, none of them ending in a newline. @param overtaken see ./overtaken.ts: such a suspension is not told */
  next(item: RenderItem, overtaken?: boolean): string[]
  /** Steps that run now, for a live display: text and when it began (epoch milliseconds). */
  running(): readonly { readonly text: string; readonly at: number }[]
  /** For a live display: the goals that are being pursued as a tree, with what runs in them, progress and elapsed time at `now`. */
  live(now: number): readonly string[]
}

/** All lines of a whole stream. */
export function renderEvents(items: Iterable<RenderItem>, options: RenderOptions): string[] {
  const renderer = eventRenderer(options)
  return Array.from(items).flatMap(item => renderer.next(item))
}

/** Turns items into lines one by one, in the order of the stream. */
export function eventRenderer(options: RenderOptions): EventRenderer {
  const story = newStory(options)
  return {
    next: (item, overtaken = false) => itemLines(story, item, overtaken),
    live: now => liveTree(story, now),
    running: () => Array.from(story.open.values(), step => ({ text: textOf(step), at: step.at }))
  }
}

function itemLines(story: Story, item: RenderItem, overtaken: boolean): string[] {
  switch (item.type) {
    case 'waiting':
      return [story.paints.warn(`waiting: ${oneLine(item.reason)}`)]
    case 'output':
      return stepPrinted(story, item)
    case 'event': {
      const raw = story.options.verbose >= 2 ? [story.paints.quiet(`[${item.event.seq}] ${item.event.body.type}`)] : []
      const lines = eventLines(story, item.event)
      return overtaken ? raw : [...raw, ...lines]
    }
  }
}

function eventLines(story: Story, { goalId, seq, at, body }: GoalEvent): string[] {
  if (seq === 1) story.since = at
  switch (body.type) {
    case 'proposed':
      return proposed(story, body, goalId)
    case 'configured':
      return configured(story, body)
    case 'started':
      return started(story, body)
    case 'goal-began':
      return goalBegan(story, body, at)
    case 'goal-ended':
      return goalEnded(story, body)
    case 'method-chosen':
      return methodChosen(story, body)
    case 'method-failed':
      return methodFailed(story, body)
    case 'block-began':
    case 'evaluated':
      return []
    case 'block-ended':
      return blockEnded(story, body)
    case 'step-began':
      return stepBegan(story, body, at)
    case 'step-ended':
      return stepEnded(story, body)
    case 'suspended':
      return suspended(story, body, goalId, at)
    case 'repaired':
      return repaired(story, body, at)
    case 'completed':
      return completed(story, body, at)
    case 'undoing':
      return undoing(story, body)
    case 'cancelled':
      return cancelled(story, body, at)
  }
}
