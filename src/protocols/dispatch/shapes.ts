/** The shape of every message of the dispatch protocol. */
import * as v from 'valibot'
import type { GoalEvent } from '../../goals/pursuit/events.ts'
import { behalfShape } from '../behalf.ts'
import {
  assignmentShape,
  byType,
  bytesShape,
  countShape,
  errorShape,
  hashShape,
  idShape,
  listOf,
  modeShape,
  nameShape,
  programShape,
  sourceFilesShape,
  streamShape,
  textShape,
  timeShape
} from '../shapes.ts'
import { decodeJson } from '../wire/json-text.ts'
import { eventShape } from './event-shapes.ts'
import { EVENTS_TEXT_BYTES_MAX, EVENTS_TOGETHER_MAX, type FromDispatcher, type FromExecutor } from './messages.ts'

/** Longest chain of sub-goals across nodes: deeper is a cycle that changes its arguments on the way. */
export const CHAIN_LENGTH_MAX = 32
/** Longest receipt, in bytes. */
export const RECEIPT_BYTES_MAX = 4096

const output = { step: textShape, attempt: countShape, stream: streamShape }

export const fromDispatcherShape: v.GenericSchema<unknown, Exclude<FromDispatcher, { type: 'heartbeat' }>> = v.variant('type', [
  v.strictObject({
    type: v.literal('request'),
    id: idShape,
    goal: nameShape,
    program: v.strictObject(programShape.entries),
    agent: v.exactOptional(nameShape),
    mode: modeShape,
    assignments: listOf(assignmentShape),
    chain: v.pipe(v.array(nameShape), v.maxLength(CHAIN_LENGTH_MAX)),
    acceptBefore: timeShape,
    email: v.exactOptional(nameShape),
    locale: v.exactOptional(nameShape),
    stepwise: v.exactOptional(v.boolean()),
    sshReuse: v.exactOptional(v.boolean()),
    behalf: v.exactOptional(behalfShape),
    undoes: v.exactOptional(idShape)
  }),
  v.strictObject({ type: v.literal('program'), files: sourceFilesShape }),
  v.strictObject({ type: v.literal('fence'), id: idShape, why: v.exactOptional(textShape) }),
  v.strictObject({
    type: v.literal('follow'),
    id: idShape,
    from: v.pipe(countShape, v.minValue(1)),
    have: v.exactOptional(listOf(v.strictObject({ ...output, bytes: countShape })))
  })
])

/** What an executor tells, its texts read. */
type Told = Exclude<FromExecutor, { type: 'heartbeat' | 'events' }> | { readonly type: 'events'; readonly events: readonly GoalEvent[] }

/** Several events from their text. */
const eventsShape = v.pipe(
  bytesShape,
  v.check(text => text.byteLength <= EVENTS_TEXT_BYTES_MAX, 'too long a text of events'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return decodeJson(dataset.value)
    } catch (error) {
      addIssue({ message: `no text of events: ${error instanceof Error ? error.message : error}` })
      return NEVER
    }
  }),
  v.array(eventShape),
  v.minLength(1),
  v.maxLength(EVENTS_TOGETHER_MAX)
)

export const fromExecutorShape: v.GenericSchema<unknown, Told> = byType([
  v.object({ type: v.literal('event'), event: eventShape }),
  v.object({ type: v.literal('events'), events: eventsShape }),
  v.object({ type: v.literal('output'), ...output, offset: countShape, bytes: bytesShape }),
  v.object({
    type: v.literal('accepted'),
    id: idShape,
    receipt: v.pipe(
      bytesShape,
      v.check(bytes => bytes.byteLength <= RECEIPT_BYTES_MAX, 'a receipt is short')
    )
  }),
  v.object({ type: v.literal('need-program'), hash: hashShape }),
  v.object({ type: v.literal('refused'), error: errorShape }),
  v.object({ type: v.literal('fenced'), id: idShape })
])
