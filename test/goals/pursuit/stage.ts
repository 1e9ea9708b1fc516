/** A stage for pursuit: a program as text, a journal in memory, and commands that are played instead of run. */
import { makePlan } from '../../../src/goals/plan/make-plan.ts'
import type { Plan } from '../../../src/goals/plan/plan.ts'
import type { Program } from '../../../src/goals/program/model.ts'
import { readProgram } from '../../../src/goals/program/read.ts'
import { instancesOf } from '../../../src/goals/config/instances.ts'
import { agentVariables } from '../../../src/goals/config/agent-variables.ts'
import { parsePath, setIn } from '../../../src/goals/expression/path.ts'
import type { Command, Exit, Fact, FactQuery, Finished, FoundText, Messenger, World } from '../../../src/goals/ports.ts'
import { EVENT_VERSION, type Assignment, type GoalEvent, type GoalEventBody } from '../../../src/goals/pursuit/events.ts'
import { editedText } from '../../../src/goals/pursuit/edited-text.ts'
import { pursue } from '../../../src/goals/pursuit/pursue.ts'
import type { Tree, Variables } from '../../../src/goals/tree.ts'

/** `ms`: how long it takes by the clock of the stage; one that has less time is ended then. */
export type Played = { readonly code?: number; readonly stdout?: string; readonly exit?: Exit; readonly ms?: number }

export interface Stage {
  readonly events: GoalEvent[]
  /** Commands in the order in which they were run, as their last argument. */
  readonly ran: string[]
  /** Files by path, private ones below `/private/`. */
  readonly files: Map<string, string>
  readonly agent: () => Variables
  readonly stop: AbortController
  /** First run, or on after a repair or restart. */
  go(cause?: 'first' | 'repair' | 'restart' | 'resume'): Promise<'completed' | 'suspended' | 'cancelled'>
  /** A person gives the goal up: what was done is taken back by the next {@link go}. */
  undo(): void
  repair(assignments?: Record<string, Tree>, how?: Partial<Omit<Repaired, 'type' | 'by' | 'assignments'>>): void
  /** What pursuing would do if the repair were made, in the words of a plan: `= one`, `~ two`. */
  preview(assignments?: Record<string, Tree>, how?: Partial<Omit<Repaired, 'type' | 'by' | 'assignments'>>): Promise<string[]>
  /** The same as a plan. */
  plan(assignments?: Record<string, Tree>, how?: Partial<Omit<Repaired, 'type' | 'by' | 'assignments'>>): Promise<Plan>
  /** Another text of the program, for a repair that edits it. */
  edit(xml: string): Pick<Repaired, 'program'>
  /** The journal up to and with event `seq`, as after a crash. */
  cut(seq: number): void
  types(): string[]
  bodies<T extends GoalEventBody['type']>(type: T): Extract<GoalEventBody, { type: T }>[]
}

type Repaired = Extract<GoalEventBody, { type: 'repaired' }>

export interface StageOptions {
  readonly xml: string
  readonly goal: string
  readonly agent?: string
  readonly mode?: 'pursue' | 'execute'
  readonly assignments?: readonly Assignment[]
  readonly stepwise?: boolean
  readonly locale?: string
  /** How a command ends; the default is exit 0 without output. */
  readonly play?: (command: string, full: Command) => Played
  readonly recover?: (step: string) => Exit
  readonly facts?: (query: FactQuery) => Fact
  /** What another node answers; the default is that nobody is there. */
  readonly dispatch?: Messenger['dispatch']
  readonly locate?: NonNullable<Messenger['locate']>
  /** How another node takes back what it was asked for; by default nobody can be asked. */
  readonly takeBack?: NonNullable<Messenger['takeBack']>
  /** Files of the machine, by path. */
  readonly texts?: Readonly<Record<string, string>>
  /** Of automatic corrections. */
  readonly circuits?: World['circuits']
  /** Of its steps among those of other goals. */
  readonly turns?: World['turns']
  /** `--parallel` */
  readonly abreast?: number
  /** What a command waits for before it ends. */
  readonly until?: (command: string) => Promise<void>
  /** Keeps files for other nodes; by default nobody does. */
  readonly keepFile?: NonNullable<World['keepFile']>
  /** Brings an event to disk; at once by default. */
  readonly disk?: (event: GoalEvent) => Promise<void>
}

export function stage({
  xml,
  goal,
  agent,
  mode = 'pursue',
  assignments = [],
  play = () => ({}),
  recover,
  facts,
  dispatch = () => Promise.resolve({ kind: 'failed', message: 'nobody is there' }),
  takeBack,
  locate,
  stepwise,
  locale,
  texts = {},
  circuits,
  turns,
  abreast,
  until = () => Promise.resolve(),
  keepFile,
  disk = () => Promise.resolve()
}: StageOptions): Stage {
  let program = programOf(xml)
  const proto = agent === undefined ? undefined : program.agents.get(agent)
  let variables: Variables = proto === undefined ? {} : agentVariables(program, proto)
  let events: GoalEvent[] = []
  const ran: string[] = []
  const files = new Map(Object.entries(texts))
  let now = 1_700_000_000_000

  const record = (goalId: string, body: GoalEventBody): GoalEvent => {
    const event: GoalEvent = { goalId, seq: events.length + 1, at: ++now, body }
    events.push(event)
    const writes = body.type === 'step-ended' ? body.writes : body.type === 'repaired' ? body.assignments : []
    for (const { path, value } of writes) {
      if (path.startsWith('agent.') && typeof value !== 'string')
        variables = setIn({ fields: variables }, parsePath(path).slice(1), value).fields ?? {}
    }
    return event
  }
  const finished = ({ code = 0, stdout = '', exit }: Played): Finished => ({
    exit: exit ?? { kind: 'exited', code },
    durationMs: 1,
    stdout,
    stderr: code === 0 ? '' : `failed with ${code}`,
    truncated: false
  })
  const found = (text: string | undefined): FoundText => (text === undefined ? { kind: 'absent' } : { kind: 'text', text })
  const answer = (query: FactQuery): Fact =>
    query.kind === 'edited'
      ? { kind: 'edited', edited: editedText(query.edits, found(files.get(query.edits.path))) }
      : { kind: 'bool', value: false }
  const secrets: string[] = []
  const world: World = {
    ...(circuits !== undefined && { circuits }),
    ...(turns !== undefined && { turns }),
    ...(keepFile !== undefined && { keepFile }),
    journal: {
      append: async (goalId, body) => {
        const event = record(goalId, body)
        await disk(event)
        return event
      },
      read: () => Promise.resolve(events)
    },
    driver: {
      run: async command => {
        const text = command.argv.at(-1) ?? ''
        ran.push(text)
        await until(text)
        const played = play(text, command)
        const { timeoutMs = Number.POSITIVE_INFINITY } = command
        const late = (played.ms ?? 0) > timeoutMs
        now += Math.min(played.ms ?? 0, timeoutMs)
        return finished(late ? { exit: { kind: 'timed-out', afterMs: timeoutMs } } : played)
      },
      recover: ({ step }) => Promise.resolve(finished({ exit: recover?.(step) ?? { kind: 'lost' } })),
      stop: () => Promise.resolve(),
      writeFile: (_goal, name, text) => {
        files.set(`/private/${name}`, text)
        return Promise.resolve(`/private/${name}`)
      },
      readFile: (_goal, name) => Promise.resolve(files.get(`/private/${name}`)),
      dropFiles: () => Promise.resolve(),
      files: {
        readText: path => Promise.resolve(found(files.get(path))),
        replaceText: (path, text) => {
          files.set(path, text)
          return Promise.resolve()
        }
      },
      interpreters: { javascript: 'node', python: 'python3' },
      connections: () => Promise.resolve('/private/connections')
    },
    probe: { gather: queries => Promise.resolve(queries.map(query => facts?.(query) ?? answer(query))) },
    vault: {
      seal: (_goal, secret) => {
        if (!secrets.includes(secret)) secrets.push(secret)
        return `kept:g/${secrets.indexOf(secret)}`
      },
      open: sealed => Promise.resolve(secrets[Number(sealed.slice('kept:g/'.length))]),
      drop: () => undefined
    },
    messenger: { dispatch, ...(takeBack !== undefined && { takeBack }), ...(locate !== undefined && { locate }) },
    clock: {
      now: () => ++now,
      sleep: ms => {
        now += ms
        return Promise.resolve()
      }
    },
    random: { id: () => '01J00000000000000000000000' },
    surroundings: { agent: () => variables, host: {}, peer: {} }
  }
  record('g', {
    type: 'proposed',
    version: EVENT_VERSION,
    goal,
    program: { name: program.name, hash: program.hash },
    ...(agent !== undefined && { agent }),
    mode,
    assignments,
    by: { peer: 'p', node: 'here' },
    chain: [],
    ...(stepwise && { stepwise }),
    ...(locale !== undefined && { locale }),
    ...(abreast !== undefined && { abreast })
  })

  const it: Stage = {
    get events() {
      return events
    },
    ran,
    files,
    agent: () => variables,
    stop: new AbortController(),
    go: cause =>
      pursue({
        id: 'g',
        program,
        ...(proto !== undefined && { agent: proto }),
        instances: instancesOf(program),
        world,
        events: [...events],
        cause: cause ?? 'first',
        stop: it.stop.signal
      }),
    undo: () => void record('g', { type: 'undoing', by: { peer: 'p', node: 'here' }, why: 'not wanted' }),
    repair: (values, how) => void record('g', repaired(values, how)),
    preview: async (values, how) => {
      const { nodes } = await it.plan(values, how)
      return nodes.flatMap(({ kind, mark, text }) => (kind === 'step' ? [`${mark} ${text}`] : []))
    },
    plan: async (values, how) => {
      const event = { goalId: 'g', seq: events.length + 1, at: now, body: repaired(values, how) }
      const { probe, surroundings } = world
      return await makePlan({
        program,
        ...(proto !== undefined && { agent: proto }),
        goal,
        assignments,
        instances: instancesOf(program),
        surroundings,
        probe,
        events: [...events, event]
      })
    },
    edit: text => {
      program = programOf(text)
      return { program: { name: program.name, hash: program.hash } }
    },
    cut: seq => {
      events = events.slice(0, seq)
    },
    types: () => events.map(event => event.body.type),
    bodies: type => events.map(event => event.body).filter(body => body.type === type) as never
  }
  return it
}

function programOf(xml: string): Program {
  return readProgram([{ name: 'test.xml', text: `<cloudburst name="test">${xml}</cloudburst>` }])
}

function repaired(values: Record<string, Tree> = {}, how: Partial<Omit<Repaired, 'type' | 'by' | 'assignments'>> = {}): Repaired {
  const assignments = Object.entries(values).map(([path, value]) => ({ path, value }))
  return { type: 'repaired', by: { peer: 'p', node: 'here' }, verb: 'retry', assignments, ...how }
}
