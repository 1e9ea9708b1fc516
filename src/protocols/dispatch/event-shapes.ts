/** The shape of a goal's events as a peer reports them. Unknown fields are dropped, unknown types refused: a fold over them must not meet surprises. */
import * as v from 'valibot'
import type { GoalEvent, GoalEventBody } from '../../goals/pursuit/events.ts'
import {
  assignmentShape,
  byType,
  countShape,
  decisionShape,
  listOf,
  modeShape,
  nameShape,
  programShape,
  textShape,
  timeShape,
  treeShape,
  variablesShape
} from '../shapes.ts'

const place = v.object({ file: textShape, line: countShape, col: countShape })
const principal = v.object({ peer: nameShape, node: nameShape, email: v.exactOptional(nameShape) })
const assignments = listOf(assignmentShape)
const trees = v.record(textShape, treeShape)
const exit = v.variant('kind', [
  v.object({ kind: v.literal('exited'), code: v.pipe(v.number(), v.safeInteger()) }),
  v.object({ kind: v.literal('signalled'), signal: nameShape }),
  v.object({ kind: v.literal('timed-out'), afterMs: countShape }),
  v.object({ kind: v.literal('not-started'), message: textShape }),
  v.object({ kind: v.literal('stopped') }),
  v.object({ kind: v.literal('lost') })
])
const grounds = v.object({ reasons: listOf(textShape), reads: v.record(textShape, textShape) })
const candidate = v.object({
  method: nameShape,
  verdict: v.picklist(['selected', 'queued', 'rejected', 'failed']),
  reason: v.exactOptional(textShape),
  grounds: v.exactOptional(grounds)
})
const duration = v.pipe(v.number(), v.minValue(0))
const seqShape = v.pipe(countShape, v.minValue(1))
const announced = v.object({ steps: v.array(textShape), otherwise: v.array(textShape) })

const goalBodies = [
  v.object({
    type: v.literal('proposed'),
    version: v.literal(1),
    goal: nameShape,
    program: programShape,
    agent: v.exactOptional(nameShape),
    mode: modeShape,
    assignments,
    by: principal,
    chain: listOf(nameShape),
    locale: v.exactOptional(nameShape),
    stepwise: v.exactOptional(v.boolean()),
    sshReuse: v.exactOptional(v.boolean()),
    abreast: v.exactOptional(seqShape),
    from: v.exactOptional(v.object({ run: nameShape, snapshot: nameShape, seq: seqShape })),
    undoes: v.exactOptional(listOf(nameShape)),
    checks: v.exactOptional(listOf(nameShape)),
    planned: v.exactOptional(announced),
    target: v.exactOptional(textShape)
  }),
  v.object({ type: v.literal('configured'), variables: variablesShape, sources: v.record(textShape, textShape) }),
  v.object({
    type: v.literal('started'),
    stretch: countShape,
    cause: v.picklist(['first', 'repair', 'resume', 'restart']),
    planned: v.exactOptional(announced)
  }),
  v.object({
    type: v.literal('goal-began'),
    debug: v.exactOptional(v.literal(true)),
    instance: textShape,
    goal: nameShape,
    describe: v.exactOptional(textShape),
    place,
    arguments: v.exactOptional(variablesShape),
    reads: v.exactOptional(listOf(textShape)),
    writes: v.exactOptional(listOf(textShape)),
    call: v.exactOptional(nameShape),
    again: v.exactOptional(textShape)
  }),
  v.object({
    type: v.literal('goal-ended'),
    instance: textShape,
    outcome: v.picklist(['completed', 'already-true', 'shared', 'failed']),
    results: v.exactOptional(variablesShape),
    reason: v.exactOptional(textShape),
    candidates: v.exactOptional(listOf(candidate)),
    lost: v.exactOptional(v.literal(true)),
    grounds: v.exactOptional(grounds)
  }),
  v.object({
    type: v.literal('method-chosen'),
    debug: v.exactOptional(v.literal(true)),
    instance: textShape,
    method: nameShape,
    describe: v.exactOptional(textShape),
    place,
    candidates: listOf(candidate),
    grounds: v.exactOptional(grounds)
  }),
  v.object({ type: v.literal('method-failed'), instance: textShape, method: nameShape, reason: textShape })
] as const

const stepBodies = [
  v.object({ type: v.literal('evaluated'), path: textShape, instance: textShape, value: treeShape, key: textShape }),
  v.object({ type: v.literal('block-began'), block: textShape, timeoutS: duration, place }),
  v.object({ type: v.literal('block-ended'), block: textShape, outcome: v.picklist(['completed', 'failed', 'timed-out']) }),
  v.object({
    type: v.literal('step-began'),
    debug: v.exactOptional(v.literal(true)),
    step: textShape,
    instance: textShape,
    attempt: countShape,
    kind: v.picklist(['send', 'tempFile', 'update', 'check', 'remote', 'code', 'editFile', 'wait', 'snapshot']),
    key: textShape,
    show: textShape,
    describe: v.exactOptional(textShape),
    place,
    reads: trees,
    run: v.exactOptional(nameShape),
    arguments: v.exactOptional(variablesShape),
    call: v.exactOptional(nameShape),
    again: v.exactOptional(textShape),
    group: v.exactOptional(countShape),
    env: v.exactOptional(listOf(nameShape)),
    peer: v.exactOptional(nameShape)
  }),
  v.object({
    type: v.literal('step-ended'),
    step: textShape,
    attempt: countShape,
    status: v.picklist(['completed', 'failed', 'ignored', 'in-doubt', 'stopped']),
    exit: v.exactOptional(exit),
    durationMs: duration,
    writes: listOf(v.object({ path: textShape, value: treeShape })),
    reason: v.exactOptional(textShape),
    tail: v.exactOptional(textShape),
    note: v.exactOptional(textShape)
  })
] as const

const lifeBodies = [
  v.object({
    type: v.literal('suspended'),
    code: v.picklist([
      'step-failed',
      'timed-out',
      'in-doubt',
      'config-incomplete',
      'no-method',
      'post-not-true',
      'requested',
      'stepping',
      'stopped',
      'journal-damaged',
      'program-missing',
      'abandoned',
      'internal',
      'denied'
    ]),
    reason: textShape,
    step: v.exactOptional(textShape),
    instance: v.exactOptional(textShape),
    values: v.exactOptional(trees),
    instructions: v.exactOptional(textShape)
  }),
  v.object({
    type: v.literal('repaired'),
    by: principal,
    verb: v.picklist(['retry', 'resume', 'step', 'skip', 'look']),
    step: v.exactOptional(textShape),
    assignments,
    decisions: v.exactOptional(listOf(decisionShape)),
    method: v.exactOptional(v.object({ instance: textShape, method: textShape })),
    program: v.exactOptional(programShape),
    why: v.exactOptional(textShape)
  }),
  v.object({ type: v.literal('completed'), outcome: v.picklist(['completed', 'already-true']), results: variablesShape }),
  v.object({ type: v.literal('undoing'), by: principal, why: v.exactOptional(textShape) }),
  v.object({ type: v.literal('cancelled'), by: principal, why: v.exactOptional(textShape) })
] as const

const bodies = byType([...goalBodies, ...stepBodies, ...lifeBodies])
const bodyShape: v.GenericSchema<unknown, GoalEventBody> = bodies

type Shaped = v.InferOutput<typeof bodies>
type Forgotten = {
  [T in GoalEventBody['type']]: Exclude<keyof Extract<GoalEventBody, { type: T }>, keyof Extract<Shaped, { type: T }>>
}[GoalEventBody['type']]
/** Does not compile when events.ts has a field that is missing here: it would be dropped on the way. */
const nothingForgotten: [Forgotten] extends [never] ? true : Forgotten = true
void nothingForgotten

/** One numbered event. */
export const eventShape: v.GenericSchema<unknown, GoalEvent> = v.object({
  goalId: nameShape,
  seq: seqShape,
  at: timeShape,
  body: bodyShape
})
