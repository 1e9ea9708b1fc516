/** What is tried at each door, and what a limited permit does to it. Written from the documents, not from the code. */
import type { Stream } from '@libp2p/interface'
import { once } from 'node:events'
import { cli } from '../../src/cli/cli.ts'
import { commands } from '../../src/cli/commands.ts'
import { httpOver } from '../../src/cli/http.ts'
import { CloudburstError, fromErrorData } from '../../src/errors.ts'
import { CONTROL_SOCKET } from '../../src/node/control/contract.ts'
import { AGENCY, callCapability, type CallName, type Calls, type StreamCalls, type StreamName } from '../../src/protocols/agency/calls.ts'
import { DISPATCH } from '../../src/protocols/dispatch/messages.ts'
import { greet } from '../../src/protocols/session/client.ts'
import { SESSION } from '../../src/protocols/session/messages.ts'
import { ARTIFACT } from '../../src/protocols/artifact/messages.ts'
import { MEMBERS } from '../../src/protocols/members/messages.ts'
import { STATE } from '../../src/protocols/state/messages.ts'
import { TRUST } from '../../src/protocols/trust/messages.ts'
import { doors, verbAsks } from '../../src/node/permissions/doors.ts'
import { fakeIo } from '../fakes/io.ts'
import { dispatched, type Guest, HELLO } from './guest.ts'
import { GOAL, type Host, PROGRAM, RUN } from './host.ts'

/** A permit for other programs, goals or variables than those that are asked for. */
export type Limit = 'program' | 'goal' | 'vars'

/** One thing that is tried. It throws, CB_DENIED when it was told so, or resolves when it got in. */
export interface Entry {
  /** Kind and name of its row. */
  readonly door: string
  readonly what: string
  /** Limits that shut it. */
  readonly shut: readonly Limit[]
  /** Not for a permit for the one program and goal that the other entries are about. */
  readonly unfit?: boolean
  /** Nobody gets in, whatever the permit. */
  readonly nobody?: true
  /** Getting in is told by nothing that the host counts. */
  readonly uncounted?: true
  readonly attempt: (guest: Guest, host: Host) => Promise<void>
}

const ALL: readonly Limit[] = ['program', 'goal', 'vars']
const assignments = [{ path: 'goal.port', value: '8080' }]

type Requests = { readonly [N in CallName]: Calls[N]['request'] } & { readonly [N in StreamName]: StreamCalls[N]['request'] }

const requests: Requests = {
  hello: {},
  programs: {},
  program: { program: 'site' },
  load: { files: [{ name: 'site.xml', text: PROGRAM }] },
  list: { program: 'site' },
  agents: {},
  start: { program: 'site', assignments },
  examine: { agent: 'farm' },
  suspend: { agent: 'farm' },
  resume: { agent: 'farm' },
  stop: { agent: 'farm' },
  plan: { goal: GOAL, assignments },
  anticipate: { goal: GOAL, program: 'site', assignments },
  pursue: { goal: GOAL, assignments },
  goals: {},
  goal: { id: RUN },
  repair: { id: RUN, assignments },
  preview: { id: RUN, assignments },
  cancel: { id: RUN },
  suspendgoal: { id: RUN },
  resumegoal: { id: RUN },
  state: { path: 'nodes' },
  explain: { path: 'nodes' },
  history: { path: 'nodes' },
  update: { changes: [{ path: 'shared.note', value: 'x' }] },
  forget: { node: 'gone' },
  acceptfork: { node: 'gone' },
  release: {},
  upgrade: { artifact: 'ab'.repeat(32), release: `1.0.0-${'ab'.repeat(6)}`, withinMs: 1_000 },
  keeprelease: { release: `1.0.0-${'ab'.repeat(6)}` },
  inventory: {},
  events: { id: RUN },
  watch: { path: 'nodes' }
}

/** Limits that shut a call: by what its request names. */
const shutFor: Readonly<Record<CallName | StreamName, readonly Limit[]>> = {
  hello: [],
  programs: [],
  program: ['program'],
  load: ['program'],
  list: ['program'],
  agents: [],
  start: ['program', 'vars'],
  examine: ['program'],
  suspend: ['program'],
  resume: ['program'],
  stop: ['program'],
  plan: ALL,
  anticipate: ALL,
  pursue: ALL,
  goals: [],
  goal: ['program', 'goal'],
  repair: ALL,
  preview: ALL,
  cancel: ALL,
  suspendgoal: ALL,
  resumegoal: ALL,
  state: [],
  explain: [],
  history: [],
  update: [],
  forget: [],
  acceptfork: [],
  release: [],
  upgrade: [],
  keeprelease: [],
  inventory: [],
  events: ['program', 'goal'],
  watch: []
}

/** Words of each verb that asks another node, and the limits that shut it; `plain` of a verb that asks none, or only its own. */
const verbWords: Readonly<Record<string, { readonly words: readonly string[]; readonly shut: readonly Limit[] } | 'own' | 'none'>> = {
  init: 'own',
  peers: 'own',
  store: 'own',
  'sign-in': 'own',
  deliver: 'own',
  undeliver: 'own',
  upgrade: 'own',
  'start-daemon': 'own',
  'stop-daemon': 'own',
  audit: 'none',
  authority: 'own',
  grant: 'own',
  permissions: 'own',
  identity: 'own',
  new: 'none',
  fmt: 'none',
  help: 'none',
  version: 'none',
  completion: 'none',
  hello: { words: [], shut: [] },
  programs: { words: [], shut: [] },
  load: { words: ['programs/hello-world.xml'], shut: ['program'] },
  agents: { words: [], shut: [] },
  start: { words: ['site', 'agent.port=1'], shut: ['program', 'vars'] },
  examine: { words: ['farm'], shut: ['program'] },
  suspend: { words: ['farm'], shut: ['program'] },
  resume: { words: ['farm'], shut: ['program'] },
  stop: { words: ['farm'], shut: ['program'] },
  list: { words: ['--program', 'site'], shut: ['program'] },
  plan: { words: [GOAL, 'goal.port=1'], shut: ALL },
  graph: { words: [GOAL, 'goal.port=1'], shut: ALL },
  pursue: { words: [GOAL, 'goal.port=1', '--detach'], shut: ALL },
  execute: { words: [GOAL, 'goal.port=1', '--detach'], shut: ALL },
  dispatch: { words: [GOAL, 'goal.port=1', '--detach'], shut: ALL },
  goals: { words: [], shut: [] },
  goal: { words: [RUN], shut: ['program', 'goal'] },
  repair: { words: [RUN, 'goal.port=1', '--detach'], shut: ALL },
  cancel: { words: [RUN, '--no-undo'], shut: ALL },
  why: { words: [RUN, 'step'], shut: ['program', 'goal'] },
  logs: { words: [RUN], shut: ['program', 'goal'] },
  inventory: { words: [], shut: [] },
  state: { words: ['nodes'], shut: [] },
  attach: { words: [RUN], shut: ['program', 'goal'] },
  abandon: 'own',
  doctor: 'own',
  artifact: 'own',
  run: { words: ['true'], shut: ALL }
}

/** Everything that is tried. @throws when a door has no entry, or an entry no door */
export function entries(): readonly Entry[] {
  const all = [...protocolEntries(), ...callEntries(), ...updateEntries(), ...localEntries(), ...verbEntries()]
  const tried = new Set(all.map(({ door }) => door))
  const idle = Object.entries(verbWords).flatMap(([name, words]) => (typeof words === 'string' ? [`verb ${name}`] : []))
  const without = doors.map(({ kind, name }) => `${kind} ${name}`).filter(door => !tried.has(door) && !idle.includes(door))
  const missing = [...tried, ...idle].filter(door => !doors.some(({ kind, name }) => door === `${kind} ${name}`))
  const verbless = Object.keys(commands).filter(name => !Object.hasOwn(verbAsks, name))
  if (without.length > 0) throw new Error(`nothing is tried at: ${without.join(', ')}`)
  if (missing.length > 0) throw new Error(`no row in src/node/permissions/doors.ts for: ${missing.join(', ')}`)
  if (verbless.length > 0) throw new Error(`no row in src/node/permissions/doors.ts for the verb: ${verbless.join(', ')}`)
  return all
}

function protocolEntries(): Entry[] {
  const open = (protocol: string, attempt: (stream: Stream) => Promise<void>): Entry => ({
    door: `protocol ${protocol}`,
    what: `stream ${protocol}`,
    shut: [],
    uncounted: true,
    attempt: async guest => await attempt(await guest.stream(protocol))
  })
  return [
    {
      door: `protocol ${SESSION}`,
      what: 'hello',
      shut: [],
      uncounted: true,
      attempt: async guest => void (await greet(await guest.channel(SESSION), HELLO))
    },
    { door: `protocol ${AGENCY}`, what: 'the call hello', shut: [], attempt: guest => call(guest, 'call', 'hello', {}) },
    { door: `protocol ${STATE}`, what: 'pull', shut: [], attempt: guest => ask(guest, STATE, { type: 'pull', have: [] }, 'done') },
    {
      door: `protocol ${ARTIFACT}`,
      what: 'a file',
      shut: [],
      attempt: guest => ask(guest, ARTIFACT, { type: 'fetch', hash: 'ab'.repeat(32), offset: 0 }, 'found')
    },
    { door: `protocol ${TRUST}`, what: 'news', shut: [], attempt: guest => ask(guest, TRUST, { type: 'news', statements: [] }, 'news') },
    {
      door: `protocol ${MEMBERS}`,
      what: 'a probe',
      shut: [],
      uncounted: true,
      attempt: guest => ask(guest, MEMBERS, { type: 'probe', peer: guest.identity.peer, within: 50 }, 'probed')
    },
    {
      door: `protocol ${DISPATCH}`,
      what: 'a goal of a program that is held',
      shut: ALL,
      attempt: async (guest, { hash }) => void (await dispatched(guest, { goal: GOAL, program: { name: 'site', hash } }))
    },
    {
      door: `protocol ${DISPATCH}`,
      what: 'a goal of a program that comes along',
      shut: ALL,
      unfit: true,
      attempt: async guest =>
        void (await dispatched(guest, { goal: GOAL, program: { name: 'new', hash: 'ab'.repeat(32) } }, 'ab'.repeat(32)))
    },
    {
      door: `protocol ${DISPATCH}`,
      what: 'an ad-hoc command',
      shut: ALL,
      unfit: true,
      attempt: async (guest, { shell }) => void (await dispatched(guest, { goal: 'run', program: { name: 'run', hash: shell } }))
    },
    ...['/meshsub/1.0.0', '/meshsub/1.1.0', '/meshsub/1.2.0'].map(protocol =>
      open(protocol, async stream => {
        // A refusal resets the stream; what is served stays open.
        await once(stream as unknown as EventTarget, 'close', { signal: AbortSignal.timeout(150) }).catch(() => undefined)
        if (stream.status !== 'open') throw new Error('the stream was ended')
        stream.abort(new Error('enough'))
      })
    ),
    ...['hop', 'stop'].map(end =>
      open(`/libp2p/circuit/relay/0.2.0/${end}`, async stream => {
        // The shortest message that is one: of type 0, with its length before it. Whatever is answered, somebody is served.
        stream.send(new Uint8Array([2, 8, 0]))
        await message(stream)
        stream.abort(new Error('enough'))
      })
    ),
    open('/ipfs/ping/1.0.0', async stream => {
      stream.send(new Uint8Array(32).fill(7))
      await message(stream)
      stream.abort(new Error('enough'))
    }),
    open('/ipfs/id/1.0.0', message)
  ]
}

async function message(stream: Stream): Promise<void> {
  const within = { signal: AbortSignal.timeout(2_000) }
  const ended = once(stream as unknown as EventTarget, 'close', within).then(() => Promise.reject(new Error('the stream was ended')))
  ended.catch(() => undefined)
  await Promise.race([once(stream as unknown as EventTarget, 'message', within), ended])
}

/** Each call and stream twice: on the wire, and through the control API of the caller's own node. */
function callEntries(): Entry[] {
  return (Object.keys(callCapability) as (CallName | StreamName)[]).flatMap((name): Entry[] => {
    const kind = name === 'events' || name === 'watch' ? 'stream' : 'call'
    const door = `${kind} ${name}`
    const shut = shutFor[name]
    return [
      { door, what: name, shut, unfit: name === 'load', attempt: guest => call(guest, kind, name, requests[name]) },
      {
        door,
        what: `POST /api/v1/${kind}s/${name}?peer=host`,
        shut,
        unfit: name === 'load',
        attempt: guest => post(guest, kind, name, requests[name])
      }
    ]
  })
}

/** A variable of an agent belongs to its program, by whatever name it is reached. */
function updateEntries(): Entry[] {
  return ['agents.farm.variables.port', 'nodes.host.agents.farm.variables.port'].map(path => ({
    door: 'call update',
    what: `update of ${path}`,
    shut: ['program', 'vars'],
    attempt: guest => call(guest, 'call', 'update', { changes: [{ path, value: '1' }] })
  }))
}

/** What only the people of a node may ask is no call of the mesh. */
function localEntries(): Entry[] {
  return doors
    .filter(({ kind }) => kind === 'local')
    .map(({ name }) => ({
      door: `local ${name}`,
      what: `${name} over the mesh`,
      shut: [],
      nobody: true,
      attempt: guest => call(guest, 'call', name, {})
    }))
}

function verbEntries(): Entry[] {
  return Object.entries(verbWords).flatMap(([name, how]): Entry[] => {
    if (typeof how === 'string') return []
    const attempt = async (guest: Guest): Promise<void> => {
      const io = fakeIo()
      const exit = await cli([name, '--home', guest.home, '--peer', 'host', ...how.words], io)
      if (exit === 6) throw new CloudburstError('CB_DENIED', io.said.stderr)
      if (exit === 7 || /CB_DENIED|is denied/.test(io.said.stderr)) throw new Error(io.said.stderr)
    }
    return [{ door: `verb ${name}`, what: `cloudburst ${name}`, shut: how.shut, unfit: name === 'load' || name === 'run', attempt }]
  })
}

async function call(guest: Guest, type: 'call' | 'stream', name: string, request: object): Promise<void> {
  const channel = await guest.channel(AGENCY)
  try {
    await channel.write({ type, name, request })
    const answer = (await channel.read()) as { type: string; error?: never } | undefined
    if (answer === undefined) throw new Error('no answer')
    if (answer.type === 'error') throw fromErrorData(answer.error!)
  } finally {
    channel.abort(new Error('enough'))
  }
}

async function ask(guest: Guest, protocol: string, message: object, type: string): Promise<void> {
  const channel = await guest.channel(protocol)
  try {
    await channel.write(message)
    const answer = (await channel.read()) as { type: string; error?: never } | undefined
    if (answer?.type !== type) throw answer?.error === undefined ? new Error('no answer') : fromErrorData(answer.error)
  } finally {
    channel.abort(new Error('enough'))
  }
}

async function post(guest: Guest, kind: 'call' | 'stream', name: string, request: object): Promise<void> {
  const http = httpOver(`${guest.home}/${CONTROL_SOCKET}`, guest.home)
  const path = `/api/v1/${kind}s/${name}?peer=host`
  const signal = AbortSignal.timeout(5_000)
  if (kind === 'call') await http.post(path, request, signal)
  else for await (const _item of await http.stream(path, request, signal)) return
}
