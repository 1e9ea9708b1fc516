/**
 * Every door of a node and what opens it: protocols of the mesh, routes of the control API, verbs of the CLI, one row each.
 * The compiler insists on rows for calls, streams and local calls; test/matrix/ on those for protocols and verbs, and tries each
 * row with every kind of caller.
 */
import type { Capability } from '../../crypto/capability.ts'
import { AGENCY, callCapability, type CallName, type StreamName } from '../../protocols/agency/calls.ts'
import { DISPATCH } from '../../protocols/dispatch/messages.ts'
import { SESSION } from '../../protocols/session/messages.ts'
import { ARTIFACT } from '../../protocols/artifact/messages.ts'
import { MEMBERS } from '../../protocols/members/messages.ts'
import { STATE } from '../../protocols/state/messages.ts'
import { TRUST } from '../../protocols/trust/messages.ts'
import type { LocalCalls } from '../control/contract.ts'

/**
 * What a door needs: a capability; `permit`, any permit at all; `greeting`, nothing but a key, and without a permit a ticket;
 * `call`, what the row of the call needs; `home`, to be the user whose home it is, at the control socket.
 */
export type Need = Capability | 'permit' | 'greeting' | 'call' | 'home'

export type DoorKind = 'protocol' | 'call' | 'stream' | 'local' | 'verb'

/** One row. */
export interface Door {
  readonly kind: DoorKind
  readonly name: string
  /** All of them, in the order in which they are asked for. */
  readonly needs: readonly Need[]
}

type LocalName = keyof LocalCalls
type Asked = CallName | StreamName | LocalName

/** Protocols that a node serves on libp2p streams. */
const protocols: Readonly<Record<string, readonly Need[]>> = {
  [SESSION]: ['greeting'],
  [AGENCY]: ['call'],
  // program:load only for a program that is not held here, node:shell only for ad-hoc commands, goal:repair (too) to take a goal back.
  [DISPATCH]: ['goal:dispatch', 'program:load', 'node:shell'],
  [STATE]: ['state:read'],
  [ARTIFACT]: ['state:read'],
  // What is told there proves itself, or is not taken in.
  [TRUST]: ['agency:hello'],
  [MEMBERS]: ['agency:hello'],
  // libp2p's own: what a node is, whether it is there, and gossip (heads and revocations, signed by their owners).
  '/ipfs/id/1.0.0': ['permit'],
  '/ipfs/ping/1.0.0': ['permit'],
  // being reached through another node, and relaying for others: both ends need a permit at the relay
  '/libp2p/circuit/relay/0.2.0/hop': ['permit'],
  '/libp2p/circuit/relay/0.2.0/stop': ['permit'],
  '/meshsub/1.0.0': ['permit'],
  '/meshsub/1.1.0': ['permit'],
  '/meshsub/1.2.0': ['permit']
}

/** Calls that only the control socket serves. */
const local: Readonly<Record<LocalName, readonly Need[]>> = {
  peers: ['home'],
  dispatch: ['home'],
  anticipate: ['home'],
  abandon: ['home'],
  ticket: ['home'],
  trust: ['home'],
  grants: ['home'],
  rights: ['home'],
  signin: ['home'],
  checkstore: ['home'],
  artifacts: ['home'],
  keepfile: ['home'],
  fetchfile: ['home'],
  dropfile: ['home'],
  doctor: ['home'],
  shutdown: ['home']
}

/** What each verb of the CLI asks of a node, here or with `--peer`. None: it asks no node. */
const verbs: Readonly<Record<string, readonly Asked[]>> = {
  init: ['ticket'],
  hello: ['hello'],
  peers: ['peers'],
  programs: ['programs'],
  load: ['load'],
  agents: ['agents'],
  start: ['load', 'start'],
  examine: ['examine'],
  suspend: ['suspend', 'suspendgoal'],
  resume: ['resume', 'resumegoal'],
  stop: ['stop'],
  list: ['list'],
  new: [],
  fmt: [],
  plan: ['load', 'plan', 'hello'],
  graph: ['load', 'plan', 'goals', 'goal', 'events', 'hello'],
  pursue: ['load', 'goals', 'pursue', 'events', 'goal', 'repair'],
  execute: ['load', 'hello', 'goals', 'pursue', 'events', 'goal', 'repair'],
  dispatch: ['load', 'anticipate', 'dispatch', 'events', 'goal', 'repair'],
  goals: ['goals'],
  goal: ['goals', 'goal'],
  repair: ['goals', 'goal', 'load', 'preview', 'repair', 'cancel', 'events'],
  cancel: ['goals', 'goal', 'preview', 'cancel', 'events'],
  why: ['goals', 'goal', 'events'],
  logs: ['goals', 'goal', 'events'],
  inventory: ['peers', 'inventory'],
  state: ['state', 'watch', 'history', 'explain', 'hello', 'update', 'forget', 'acceptfork'],
  attach: ['goals', 'goal', 'state', 'events'],
  abandon: ['goals', 'goal', 'abandon'],
  run: ['dispatch', 'pursue', 'events', 'goal'],
  store: ['checkstore'],
  'sign-in': ['signin'],
  deliver: ['peers', 'ticket', 'trust', 'hello', 'events', 'goal', 'repair'],
  undeliver: ['trust'],
  upgrade: ['peers', 'artifacts', 'keepfile', 'dropfile', 'release', 'upgrade', 'keeprelease'],
  'start-daemon': ['hello'],
  'stop-daemon': ['hello'],
  artifact: ['artifacts', 'keepfile', 'fetchfile', 'dropfile'],
  doctor: ['doctor'],
  audit: [],
  authority: ['trust'],
  grant: ['grants', 'trust'],
  permissions: ['rights'],
  identity: ['grants', 'trust'],
  help: [],
  version: [],
  completion: []
}

const streams: ReadonlySet<string> = new Set<StreamName>(['events', 'watch'])

/** What a verb may ask of a node, by its name. */
export const verbAsks = verbs

/** All rows. */
export const doors: readonly Door[] = [
  ...rows('protocol', protocols),
  ...Object.entries(callCapability).map(([name, capability]): Door => {
    return { kind: streams.has(name) ? 'stream' : 'call', name, needs: [capability] }
  }),
  ...rows('local', local),
  ...Object.entries(verbs).map(([name, asked]): Door => ({ kind: 'verb', name, needs: [...new Set(asked.flatMap(needsOf))] }))
]

function rows(kind: DoorKind, table: Readonly<Record<string, readonly Need[]>>): Door[] {
  return Object.entries(table).map(([name, needs]) => ({ kind, name, needs }))
}

function needsOf(asked: Asked): readonly Need[] {
  return Object.hasOwn(callCapability, asked) ? [callCapability[asked as CallName]] : local[asked as LocalName]
}
