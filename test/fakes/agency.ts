import { CloudburstError } from '../../src/errors.ts'
import type { LocalHandlers } from '../../src/node/control/server.ts'
import type { GoalEvent, GoalEventBody, Principal } from '../../src/goals/pursuit/events.ts'
import type { Agency, CallName, Calls, EventItem, RunInfo, StreamCalls } from '../../src/protocols/agency/calls.ts'

type Answers = {
  readonly [N in CallName]?: (request: Calls[N]['request'], by: Principal) => Calls[N]['reply'] | Promise<Calls[N]['reply']>
}

export interface FakeAgency extends Agency {
  /** Every call, in order. */
  readonly asked: { readonly name: string; readonly request: unknown; readonly by: Principal }[]
}

/** An agency that answers calls as told, and replays recorded items for any goal. */
export function fakeAgency(
  answers: Answers,
  streams: {
    readonly events?: (request: StreamCalls['events']['request'], signal?: AbortSignal) => AsyncIterable<EventItem>
    readonly watch?: (request: StreamCalls['watch']['request'], signal?: AbortSignal) => AsyncIterable<StreamCalls['watch']['item']>
  } = {}
): FakeAgency {
  const asked: FakeAgency['asked'] = []
  return {
    asked,
    async call(name, request, by) {
      asked.push({ name, request, by })
      const answer = answers[name]
      if (answer === undefined) throw new CloudburstError('CB_DENIED', `the fake agency has no ${name}`, { peer: 'fake' })
      return await answer(request, by)
    },
    stream(name, request, by, signal) {
      asked.push({ name, request, by })
      const stream = streams[name] as ((request: unknown, signal?: AbortSignal) => AsyncIterable<unknown>) | undefined
      if (stream === undefined) throw new CloudburstError('CB_DENIED', `the fake agency has no ${name}`, { peer: 'fake' })
      return stream(request, signal) as never
    }
  }
}

/** Bodies as the events of one goal, numbered from 1, 100 ms apart. */
export function eventsOf(bodies: readonly GoalEventBody[], goalId = '01JD0000000000000000000000'): GoalEvent[] {
  return bodies.map((body, at) => ({ goalId, seq: at + 1, at: 1_700_000_000_000 + at * 100, body }))
}

/** Events as a stream tells them, from the number asked for on. */
export async function* replay(events: readonly GoalEvent[], from = 1): AsyncGenerator<EventItem> {
  for (const event of events) if (event.seq >= from) yield { type: 'event', event }
}

const place = { file: 'site.xml', line: 7, col: 3 }
const by: Principal = { peer: '12D3KooWNode1', node: 'node1' }

/** A goal of two steps whose second fails. */
export const failing: readonly GoalEventBody[] = [
  {
    type: 'proposed',
    version: 1,
    goal: 'publish',
    program: { name: 'site', hash: 'ab12cd34ef56' },
    mode: 'pursue',
    assignments: [],
    by,
    chain: []
  },
  { type: 'configured', variables: { port: { value: '80' } }, sources: { 'goal.port': 'default, site.xml:4' } },
  { type: 'started', stretch: 1, cause: 'first' },
  { type: 'goal-began', instance: 'publish', goal: 'publish', describe: 'Publish the site', place },
  {
    type: 'method-chosen',
    instance: 'publish',
    method: 'files',
    place,
    candidates: [
      { method: 'files', verdict: 'selected' },
      { method: 'nginx', verdict: 'rejected', reason: 'nginx is not installed' }
    ]
  },
  {
    type: 'step-began',
    step: 'files/make',
    instance: 'publish',
    attempt: 1,
    kind: 'send',
    key: 'aaaabbbbcccc',
    show: 'mkdir -p /srv/site',
    describe: 'make the directory',
    place,
    reads: {}
  },
  {
    type: 'step-ended',
    step: 'files/make',
    attempt: 1,
    status: 'completed',
    exit: { kind: 'exited', code: 0 },
    durationMs: 120,
    writes: []
  },
  {
    type: 'step-began',
    step: 'files/configure',
    instance: 'publish',
    attempt: 1,
    kind: 'send',
    key: 'aaaabbbbcccc',
    show: 'listen 80',
    place: { ...place, line: 12 },
    reads: { 'goal.port': { value: '80' } }
  },
  {
    type: 'step-ended',
    step: 'files/configure',
    attempt: 1,
    status: 'failed',
    exit: { kind: 'exited', code: 1 },
    durationMs: 30,
    writes: [],
    tail: 'port 80 is not free\n'
  },
  {
    type: 'suspended',
    code: 'step-failed',
    reason: 'files/configure failed: exit 1',
    step: 'files/configure',
    values: { 'goal.port': { value: '80' } }
  }
]

/** {@link failing}, repaired with another port. */
export const repaired: readonly GoalEventBody[] = [
  ...failing,
  { type: 'repaired', by, verb: 'retry', assignments: [{ path: 'goal.port', value: '8080' }] },
  { type: 'started', stretch: 2, cause: 'repair' },
  {
    type: 'step-began',
    step: 'files/configure',
    instance: 'publish',
    attempt: 2,
    kind: 'send',
    key: 'aaaabbbbcccc',
    show: 'listen 8080',
    place: { ...place, line: 12 },
    reads: { 'goal.port': { value: '8080' } }
  },
  {
    type: 'step-ended',
    step: 'files/configure',
    attempt: 2,
    status: 'completed',
    exit: { kind: 'exited', code: 0 },
    durationMs: 30,
    writes: []
  },
  { type: 'goal-ended', instance: 'publish', outcome: 'completed' },
  { type: 'completed', outcome: 'completed', results: {} }
]

/** The goal of {@link failing} as it waits. */
export const runInfo: RunInfo = {
  id: '01JD0000000000000000000000',
  goal: 'publish',
  program: { name: 'site', hash: 'ab12cd34ef56' },
  status: 'suspended',
  seq: 10,
  createdAt: 1_700_000_000_000,
  updatedAt: 1_700_000_000_900,
  by,
  assignments: [],
  steps: { done: 1, failed: 1, running: 0 },
  suspended: { code: 'step-failed', reason: 'exit 1', candidates: [], kept: ['files/make'], values: {} }
}

/** Calls about the mesh of a node that has none. */
export const noLocalCalls: LocalHandlers = {
  peers: async () => [],
  dispatch: async () => [],
  anticipate: async () => [],
  abandon: async () => ({}),
  doctor: async () => [],
  artifacts: async () => [],
  keepfile: async () => ({ hash: '', size: 0, name: '', on: [] }),
  fetchfile: async () => ({ hash: '', size: 0, name: '', on: [] }),
  dropfile: async () => ({}),
  ticket: async () => ({ ticket: '', expiresAt: 0 }),
  trust: async () => ({ news: 0, handed: [], told: 0 }),
  grants: async () => [],
  rights: async () => ({ peers: [], rights: [] }),
  signin: async () => ({ code: '', expiresAt: 0, addresses: [], authority: '' }),
  checkstore: async () => ({ runs: 0, events: 0, compacted: 0, problems: [] }),
  shutdown: async () => ({})
}
