/** The shape of every request of the agency's table (calls.ts). The compiler insists on a row for each, of the right type. */
import * as v from 'valibot'
import { BASIS_ENTRIES_MAX } from '../../goals/plan/basis.ts'
import {
  assignmentShape,
  countShape,
  decisionShape,
  hashShape,
  idShape,
  listOf,
  modeShape,
  nameShape,
  sourceFilesShape,
  textShape,
  treeShape
} from '../shapes.ts'
import type { CallName, Calls, StreamCalls, StreamName } from './calls.ts'

const nothing = v.strictObject({})
const agent = v.strictObject({ agent: nameShape })
const assignments = listOf(assignmentShape)
/** Steps at a time. */
const abreast = v.pipe(countShape, v.minValue(1))
/** What every request about a goal holds. */
export const goalRequest = {
  goal: nameShape,
  program: v.exactOptional(nameShape),
  agent: v.exactOptional(nameShape),
  assignments,
  acceptSuggestions: v.exactOptional(v.boolean()),
  locale: v.exactOptional(nameShape),
  stepwise: v.exactOptional(v.boolean()),
  sshReuse: v.exactOptional(v.boolean()),
  abreast: v.exactOptional(abreast),
  from: v.exactOptional(v.strictObject({ id: nameShape, snapshot: v.exactOptional(nameShape) })),
  probe: v.exactOptional(v.literal(false)),
  destroy: v.exactOptional(v.literal(true)),
  refresh: v.exactOptional(v.literal(true)),
  refreshOnly: v.exactOptional(v.literal(true)),
  target: v.exactOptional(textShape)
}

/** One more than the entries of a plan's basis: those named, what is beyond, and what would be done. */
const planned = v.pipe(v.record(textShape, v.pipe(v.string(), v.regex(/^[0-9a-f]{24}$/))), v.maxEntries(BASIS_ENTRIES_MAX + 2))

/** Most steps that one repair decides about: more than a person would name. */
const DECISIONS_MAX = 1_000
const repair = v.strictObject({
  id: nameShape,
  assignments,
  why: v.exactOptional(textShape),
  seq: v.exactOptional(countShape),
  stepwise: v.exactOptional(v.picklist(['step', 'skip', 'look'])),
  decisions: v.exactOptional(v.pipe(v.array(decisionShape), v.maxLength(DECISIONS_MAX))),
  method: v.exactOptional(textShape),
  program: v.exactOptional(nameShape)
})

/** `VERSION-HASH`: it becomes part of a path. */
const releaseShape = v.pipe(v.string(), v.maxLength(100), v.regex(/^[0-9A-Za-z][\w.+~-]*-[0-9a-f]{12}$/, 'a release is VERSION-HASH'))
/** Longest trial of a release, in milliseconds: an hour, since the node may be without a well daemon for so long. */
const TRIAL_MAX_MS = 3_600_000

const statePath = v.strictObject({ path: v.pipe(v.string(), v.maxLength(1_000)) })
/** Most changes of one transaction. */
const CHANGES_MAX = 1_000

type Shape<Request> = v.GenericSchema<unknown, Request>

export const callShapes: { readonly [N in CallName]: Shape<Calls[N]['request']> } = {
  hello: nothing,
  programs: nothing,
  program: v.strictObject({ program: nameShape }),
  load: v.strictObject({ files: sourceFilesShape }),
  list: v.strictObject({ program: v.exactOptional(nameShape), locale: v.exactOptional(nameShape) }),
  agents: nothing,
  start: v.strictObject({ program: nameShape, agent: v.exactOptional(nameShape), name: v.exactOptional(nameShape), assignments }),
  examine: agent,
  suspend: agent,
  resume: agent,
  stop: v.strictObject({ agent: nameShape, now: v.exactOptional(v.boolean()) }),
  plan: v.strictObject(goalRequest),
  anticipate: v.strictObject({ ...goalRequest, program: nameShape }),
  pursue: v.strictObject({
    ...goalRequest,
    id: v.exactOptional(idShape),
    mode: v.exactOptional(modeShape),
    planned: v.exactOptional(planned)
  }),
  goals: v.strictObject({
    suspended: v.exactOptional(v.boolean()),
    explained: v.exactOptional(v.boolean()),
    limit: v.exactOptional(countShape)
  }),
  // A unique prefix of an id is as good as the id, so these are names.
  goal: v.strictObject({ id: nameShape }),
  repair,
  preview: v.strictObject({ ...repair.entries, cancel: v.exactOptional(v.literal(true)) }),
  cancel: v.strictObject({
    id: nameShape,
    why: v.exactOptional(textShape),
    undo: v.exactOptional(v.literal(false)),
    leave: v.exactOptional(v.literal(true))
  }),
  suspendgoal: v.strictObject({ id: nameShape, why: v.exactOptional(textShape) }),
  resumegoal: v.strictObject({ id: nameShape, why: v.exactOptional(textShape) }),
  state: statePath,
  explain: statePath,
  history: statePath,
  update: v.strictObject({
    changes: v.pipe(
      v.array(
        v.strictObject({
          path: v.pipe(v.string(), v.minLength(1), v.maxLength(1_000)),
          value: v.exactOptional(v.union([textShape, treeShape])),
          revision: v.exactOptional(countShape)
        })
      ),
      v.minLength(1),
      v.maxLength(CHANGES_MAX)
    )
  }),
  forget: v.strictObject({ node: nameShape, why: v.exactOptional(v.pipe(textShape, v.maxLength(1_000))) }),
  acceptfork: v.strictObject({ node: nameShape }),
  release: nothing,
  upgrade: v.strictObject({
    artifact: hashShape,
    release: releaseShape,
    withinMs: v.pipe(countShape, v.minValue(1_000), v.maxValue(TRIAL_MAX_MS))
  }),
  keeprelease: v.strictObject({ release: releaseShape }),
  inventory: nothing
}

export const streamShapes: { readonly [N in StreamName]: Shape<StreamCalls[N]['request']> } = {
  events: v.strictObject({
    id: nameShape,
    from: v.exactOptional(countShape),
    follow: v.exactOptional(v.boolean()),
    output: v.exactOptional(v.boolean())
  }),
  watch: v.strictObject({ path: v.pipe(v.string(), v.maxLength(1_000)), cursor: v.exactOptional(nameShape) })
}
