/**
 * What a repair has to run again, told from the rule in docs/decisions/0001-one-walk.md and from nothing of the product:
 * a plain interpreter that writes down what each step read and wrote, and does a step again exactly if a value it read
 * is another one, its text was edited, the post of its goal was reached and does not hold any more, or a person said so.
 */
import type { Machine } from './machine.ts'
import { type Edits, type Goal, postPath, type Statement } from './program.ts'

/** A text or, of lists, texts; and when it was written. */
export interface Value {
  readonly value: string | readonly string[]
  readonly when: number
}

/**
 * A value as the walk knew it, and as it was: they differ only for what an agent's later steps have written.
 * `when` it was written, of the agent's; a method that is not walked any more has written all the same.
 */
interface Read {
  readonly known: unknown
  readonly live: unknown
  readonly when: number
}

interface Done {
  readonly began: number
  readonly text: string
  readonly reads: ReadonlyMap<string, Read>
  done: boolean
  writes: ReadonlyMap<string, Value>
}

interface Before {
  args: ReadonlyMap<string, unknown>
  completed: boolean
  /** All was done, and yet the post did not hold. */
  lost?: boolean
  /** Its own steps that began before this are done again. */
  redo: number
  results?: ReadonlyMap<string, Value>
  /** What agent's variables were when it was completed. */
  agent?: ReadonlyMap<string, string>
}

interface Frame {
  readonly id: string
  readonly level: number
  readonly vars: Map<string, Value>
  readonly redo: number
}

/** What a call was given, by argument: what it read as the walk knew it and as it was, and what came of it. */
interface Asked {
  readonly when: number
  readonly args: ReadonlyMap<string, Read & { readonly given: Value }>
}

interface Place {
  readonly frame: Frame
  readonly path: string
  readonly item?: string
  /** How often each sub-goal was called from here. */
  readonly calls: Map<string, number>
}

type Decision = { readonly when: number; readonly verdict: 'skip' | 'again' | 'done'; readonly stdout?: string }

/** A step failed: everything above it has. */
class Failed extends Error {}

export class Oracle {
  readonly steps = new Map<string, Done>()
  readonly goals = new Map<string, Before>()
  readonly #asked = new Map<string, Asked>()
  readonly sets = new Map<string, Value>()
  readonly decisions = new Map<string, Decision>()
  readonly preferred = new Map<string, string>()
  edits: Edits = new Map()
  from: { readonly since: number; readonly when: number } | undefined
  /** The step that failed last. */
  failed: string | undefined
  /** Steps of the last round, in order. */
  ran: string[] = []
  #now = 0
  readonly #program: readonly Goal[]
  readonly #machine: Machine
  readonly #live = new Map([
    ['agent.a', 'a0'],
    ['agent.b', 'b0']
  ])
  /** As far as this round has come; when it was written tells whether it was before a step or since. */
  #known = new Map<string, Value>()
  /** Of the agent, by steps of this round. */
  readonly #written = new Set<string>()
  #shared = new Map<string, ReadonlyMap<string, Value>>()

  constructor(program: readonly Goal[], machine: Machine) {
    this.#program = program
    this.#machine = machine
  }

  tick(): number {
    return ++this.#now
  }

  /** A person says no more than that it is to go on: what was done without making its goal true is done again. */
  goOn(when: number): void {
    for (const goal of this.goals.values()) {
      if (goal.lost !== true) continue
      goal.lost = false
      goal.redo = when
    }
  }

  /** Pursues goal `level` as the one that was asked for, or goes on with it. */
  round(level = 0, args: ReadonlyMap<string, Value> = new Map()): 'completed' | 'suspended' {
    this.ran = []
    this.failed = undefined
    this.#known = new Map([
      ['agent.a', { value: 'a0', when: 0 }],
      ['agent.b', { value: 'b0', when: 0 }]
    ])
    this.#shared = new Map()
    this.#written.clear()
    try {
      this.#goal(`g${level}`, level, args)
      return 'completed'
    } catch (error) {
      if (error instanceof Failed) return 'suspended'
      throw error
    }
  }

  #goal(id: string, level: number, args: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
    const goal = this.#program[level]!
    const before = this.goals.get(id)
    const plain = new Map([...args].map(([name, { value }]) => [name, value]))
    const same = before !== undefined && equal([...before.args], [...plain])
    const vars = new Map<string, Value>()
    for (const name of ['x', 'y', 'v']) vars.set(`goal.${name}`, { value: `${name}${level}`, when: 0 })
    vars.set('goal.k', { value: 'k', when: 0 })
    vars.set('goal.list', { value: ['p', `q${level}`], when: 0 })
    for (const [name, value] of args) vars.set(`goal.${name}`, value)
    for (const [path, value] of this.sets) if (path.startsWith(`${id}:`)) vars.set(path.slice(id.length + 1), value)

    const holds = (): boolean => this.#machine.there.has(postPath(level, String(vars.get('goal.k')!.value)))
    const record: Before = {
      args: plain,
      completed: false,
      redo: before?.redo ?? 0,
      ...(before?.results !== undefined && { results: kept(before, plain), agent: before.agent! })
    }
    this.goals.set(id, record)
    if (goal.hasPost && holds()) {
      record.completed = true
      // What it wrote to the agent is still there, unless a step before it wrote over it by now.
      for (const [path, value] of record.agent ?? []) if (!this.#written.has(path)) this.#known.set(path, { value, when: 0 })
      for (const [path, value] of record.results ?? []) {
        const set = this.sets.get(`${id}:${path}`)
        if (set === undefined || set.when <= value.when) vars.set(path, value)
      }
      return vars
    }
    if (goal.hasPost && same && before.completed) record.redo = this.tick()
    const frame: Frame = { id, level, vars, redo: record.redo }
    const wanted = this.preferred.get(id)
    const methods = Object.entries(goal.methods).filter(([name]) => name === 'm' || name === wanted)
    if (wanted === 'n') methods.reverse()
    for (const [at, [name, body]] of methods.entries()) {
      try {
        this.#statements({ frame, path: `${id}/${name}`, calls: new Map() }, body)
        break
      } catch (error) {
        if (!(error instanceof Failed) || at === methods.length - 1) throw error
      }
    }
    if (goal.hasPost && !holds()) {
      this.failed = ''
      record.lost = true
      throw new Failed(id)
    }
    record.completed = true
    record.results = new Map(vars)
    record.agent = new Map([...this.#known].map(([path, { value }]) => [path, String(value)]))
    return vars
  }

  #statements(place: Place, statements: readonly Statement[]): void {
    for (const statement of statements) this.#statement(place, statement)
  }

  #statement(place: Place, statement: Statement): void {
    const { frame, path } = place
    switch (statement.kind) {
      case 'send': {
        const text = `${statement.id}${this.edits.get(statement.id) ?? ''}`
        const target = `goal.${statement.id}.stdout`
        this.#step(place, `${path}/${statement.id}`, text, statement.reads, target, values => {
          const command = [statement.id, ...values].join(' ') + (this.edits.get(statement.id) ?? '')
          const { code, stdout } = this.#machine.run(command, frame.level)
          return code === 0 ? stdout : undefined
        })
        return
      }
      case 'update':
        this.#step(
          place,
          `${path}/${statement.id}`,
          statement.id,
          [statement.read],
          statement.target,
          ([value]) => `${statement.id}-${value}`
        )
        return
      case 'do':
        this.#statements(place, statement.body)
        return
      case 'find': {
        const items = frame.vars.get('goal.list')!.value as readonly string[]
        for (const item of items)
          this.#statements({ frame, path: `${path}/${statement.id}[${item}]`, item, calls: new Map() }, statement.body)
        return
      }
      case 'call':
        this.#call(place, statement)
    }
  }

  #call({ frame, path, item, calls }: Place, { goal, args, result }: Extract<Statement, { kind: 'call' }>): void {
    const count = (calls.get(`g${goal}`) ?? 0) + 1
    calls.set(`g${goal}`, count)
    const id = `${path}>g${goal}${count === 1 ? '' : `.${count}`}`
    const before = this.#asked.get(id)
    const asked = new Map<string, Read & { readonly given: Value }>()
    for (const { name, text, read, inOut } of args) {
      const now = read === undefined ? { known: '', live: '', when: 0 } : this.#read(frame, read, item)
      const was = before?.args.get(name)
      const isAsItWas = was !== undefined && !inOut && !hasChanged(was, now, before!.when)
      asked.set(name, isAsItWas ? was : { ...now, given: inOut ? frame.vars.get(read!)! : { value: `${text}${now.live ?? ''}`, when: 0 } })
    }
    const given = new Map([...asked].map(([name, { given: value }]) => [name, value]))
    const isAsBefore =
      before !== undefined &&
      [...asked].every(
        ([
          name,
          {
            given: { value }
          }
        ]) => equal(before.args.get(name)?.given.value, value)
      )
    this.#asked.set(id, { when: isAsBefore ? before.when : this.tick(), args: asked })
    const key = JSON.stringify([goal, [...given].map(([name, { value }]) => [name, value]).sort()])
    let results = this.#shared.get(key)
    if (results === undefined) {
      results = this.#goal(id, goal, given)
      this.#shared.set(key, results)
    }
    for (const { name, read, inOut } of args) if (inOut) this.#put(frame, read!, results.get(`goal.${name}`)!)
    if (result !== undefined) for (const name of ['x', 'y', 'v']) frame.vars.set(`goal.${result}.${name}`, results.get(`goal.${name}`)!)
  }

  #step(
    { frame, item }: Place,
    id: string,
    text: string,
    reads: readonly string[],
    target: string,
    run: (values: readonly string[]) => string | undefined
  ): void {
    const known = new Map(reads.map(path => [path, this.#read(frame, path, item)]))
    const before = this.steps.get(id)
    const decision = this.decisions.get(id)
    const decided = decision !== undefined && decision.when > (before?.began ?? 0) ? decision : undefined
    if (decided?.verdict === 'skip') return
    if (decided?.verdict === 'done') {
      if (decided.stdout !== undefined) this.#put(frame, target, { value: decided.stdout, when: decided.when })
      return
    }
    const isFrom = this.from !== undefined && before !== undefined && before.began < this.from.when && before.began >= this.from.since
    const isStale =
      before === undefined ||
      !before.done ||
      before.began < frame.redo ||
      isFrom ||
      decided?.verdict === 'again' ||
      before.text !== text ||
      [...known].some(([path, now]) => hasChanged(before.reads.get(path), now, before.began))
    if (!isStale) {
      for (const [path, value] of before.writes) this.#put(frame, path, value, true)
      return
    }
    this.ran.push(id)
    const began = this.tick()
    const done: Done = { began, text, reads: known, done: false, writes: before?.writes ?? new Map<string, Value>() }
    this.steps.set(id, done)
    const value = [...known.values()].some(each => each.live === undefined)
      ? undefined
      : run(reads.map(path => String(known.get(path)!.live)))
    if (value === undefined) {
      this.failed ??= id
      throw new Failed(id)
    }
    const written = { value, when: this.tick() }
    done.done = true
    done.writes = new Map([[target, written]])
    this.#put(frame, target, written)
  }

  #read(frame: Frame, path: string, item: string | undefined): Read {
    if (path === 'item') return { known: item, live: item, when: Number.POSITIVE_INFINITY }
    if (path.startsWith('agent.')) {
      const { value, when } = this.#known.get(path)!
      return { known: value, live: this.#live.get(path), when }
    }
    const value = frame.vars.get(path)?.value
    return { known: value, live: value, when: Number.POSITIVE_INFINITY }
  }

  /** What a person has set since it was written stays as the person set it. */
  #put(frame: Frame, path: string, value: Value, isKept = false): void {
    if (path.startsWith('agent.')) {
      this.#known.set(path, value)
      if (isKept) return
      this.#live.set(path, String(value.value))
      this.#written.add(path)
      return
    }
    const set = this.sets.get(`${frame.id}:${path}`)
    frame.vars.set(path, set !== undefined && set.when > value.when ? set : value)
  }
}

/** Results are what they were, but for arguments that are not. */
function kept(before: Before, args: ReadonlyMap<string, unknown>): ReadonlyMap<string, Value> {
  return new Map([...(before.results ?? [])].filter(([path]) => equal(before.args.get(path.slice(5)), args.get(path.slice(5)))))
}

function hasChanged(was: Read | undefined, now: Read, since: number): boolean {
  return !equal(was?.known, now.known) && now.when > since && !equal(was?.live, now.live)
}

function equal(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
