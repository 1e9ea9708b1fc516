/**
 * The machine below a node: it runs commands, and outlives the daemon as the runner does. What it was asked to do is written
 * down by hand here, so that "run twice" can be seen: the ledger is the truth about effects.
 */
import type { Command, CommandKey, Driver, Exit, Finished } from '../../../src/goals/ports.ts'
import type { Chance } from './chance.ts'
import { never } from './disk.ts'
import type { VirtualTime } from './time.ts'

/** One execution of one command on one machine. */
export interface Execution {
  readonly machine: string
  readonly key: CommandKey
  readonly at: number
  exit?: Exit
}

/** All executions of a simulation. */
export class Ledger {
  readonly executions: Execution[] = []
  /** How each command ended last, by goal and step: what must not be done again once it has succeeded. */
  readonly #by = new Map<string, Execution[]>()
  /** Steps that a person has decided to do again: `<goal> <step>`. */
  readonly excused = new Set<string>()
  /** Goals that a hostile peer has asked of a machine, under whatever id: `<machine> <goal>`. */
  readonly foreign = new Set<string>()
  /** Whether a goal was at work on a machine whose disk was put back or doubled: it may be done twice there. */
  isRewound: (goalId: string) => boolean = () => false
  /** @throws never: violations are told */
  onTwice: (what: string) => void = () => undefined

  begin(machine: string, key: CommandKey, at: number): Execution {
    const execution: Execution = { machine, key, at }
    if (this.foreign.has(`${machine} ${key.goalId}`) || this.isRewound(key.goalId)) return execution
    const name = `${key.goalId} ${key.step}`
    const before = this.#by.get(name) ?? []
    const same = before.find(each => each.key.attempt === key.attempt)
    if (same !== undefined) this.onTwice(`attempt ${key.attempt} of ${name} was started on ${same.machine} and on ${machine}`)
    const good = before.find(({ exit }) => exit?.kind === 'exited' && exit.code === 0)
    if (good !== undefined && !this.excused.has(name))
      this.onTwice(`${name} had succeeded on ${good.machine} and was started again on ${machine}`)
    const lost = before.find(({ exit }) => exit?.kind === 'lost')
    if (lost !== undefined && !this.excused.has(name))
      this.onTwice(`${name} was cut off by a crash and started again by itself on ${machine}`)
    const running = before.find(({ exit }) => exit === undefined)
    if (running !== undefined && !this.excused.has(name))
      this.onTwice(`${name} was running on ${running.machine} when it was started on ${machine}`)
    this.#by.set(name, [...before, execution])
    this.executions.push(execution)
    return execution
  }

  of(goalId: string): readonly Execution[] {
    return this.executions.filter(({ key }) => key.goalId === goalId)
  }
}

interface Process {
  readonly ended: Promise<Finished>
  stop(how?: 'stopped' | 'lost'): void
}

export class Machine {
  readonly name: string
  /** Whether every command fails here. */
  failing = false
  /** Exit records that are on disk: they outlive a crash of the host. */
  #records = new Map<string, Finished>()
  #processes = new Map<string, Process>()
  /** Commands that the runner knows it was given, since the host started. */
  #given = new Set<string>()
  readonly #time: VirtualTime
  readonly #chance: Chance
  readonly #ledger: Ledger
  #boots = 0

  constructor(name: string, time: VirtualTime, chance: Chance, ledger: Ledger) {
    this.name = name
    this.#time = time
    this.#chance = chance
    this.#ledger = ledger
  }

  /** Power off and on: whatever ran is gone, and nobody knows how far it came. */
  crash(): void {
    this.#boots++
    for (const { stop } of this.#processes.values()) stop('lost')
    this.#processes = new Map()
    this.#given = new Set()
  }

  /** What is on its disk of commands that have ended. */
  image(): ReadonlyMap<string, Finished> {
    return new Map(this.#records)
  }

  /** An older copy of its disk is put back while it is off. */
  restore(records: ReadonlyMap<string, Finished>): void {
    this.crash()
    this.#records = new Map(records)
  }

  /** The driver of one daemon. `alive` ends with it; what it has started does not. */
  driver(alive: () => boolean): Driver {
    return {
      run: async command => {
        // From the daemon to the runner, which may be the end of the daemon.
        if (!alive()) return await never()
        await this.#time.sleep(this.#chance.between(0.1, 1))
        if (!alive()) return await never()
        const finished = await this.#start(command)
        return alive() ? finished : await never()
      },
      recover: async (key, beganAt) => {
        if (!alive()) return await never()
        const finished = await this.#find(key, beganAt)
        return alive() ? finished : await never()
      },
      stop: async key => {
        this.#processes.get(nameOf(key))?.stop()
        await this.#processes.get(nameOf(key))?.ended
      },
      writeFile: async (goalId, name) => `/sim/${goalId}/${name}`,
      readFile: async () => undefined,
      dropFiles: async () => undefined,
      files: { readText: async () => ({ kind: 'absent' }), replaceText: async () => undefined },
      interpreters: { javascript: 'node', python: 'python3' },
      connections: async () => '/sim/connections'
    }
  }

  #start(command: Command): Promise<Finished> {
    const name = nameOf(command.key)
    const running = this.#processes.get(name)
    if (running !== undefined) return running.ended
    this.#given.add(name)
    const execution = this.#ledger.begin(this.name, command.key, this.#time.now)
    const ended = Promise.withResolvers<Finished>()
    const { durationMs, code } = behaviour(command, this.#chance)
    const due = this.#time.after(durationMs, () => {
      execution.exit = { kind: 'exited', code: this.failing ? 1 : code }
      const finished = finishedBy(execution.exit, durationMs, `${command.key.step}@${this.name}`)
      this.#records.set(name, finished)
      this.#processes.delete(name)
      ended.resolve(finished)
    })
    this.#processes.set(name, {
      ended: ended.promise,
      stop: (how = 'stopped') => {
        due.cancel()
        if (execution.exit !== undefined) return
        execution.exit = { kind: how }
        this.#processes.delete(name)
        ended.resolve(finishedBy({ kind: how }, 0, ''))
      }
    })
    return ended.promise
  }

  async #find(key: CommandKey, beganAt: number | undefined): Promise<Finished> {
    const name = nameOf(key)
    await this.#time.sleep(this.#chance.between(0.1, 1))
    const running = this.#processes.get(name)
    if (running !== undefined) return await running.ended
    const record = this.#records.get(name)
    if (record !== undefined) return record
    // The runner that would have been given it is this one, and it was not.
    const same = this.#boots === 0 && !this.#given.has(name) && beganAt !== undefined
    if (same) this.#given.add(name)
    return finishedBy(same ? { kind: 'not-started', message: 'it was never started' } : { kind: 'lost' }, 0, '')
  }
}

/** What a command does is in its text: `work`, milliseconds, and how often it fails, in percent. */
function behaviour({ argv }: Command, chance: Chance): { readonly durationMs: number; readonly code: number } {
  const [, ms = '20', percent = '0'] = /\bwork (\d+) (\d+)/.exec(argv.join(' ')) ?? []
  return { durationMs: Number(ms) * chance.between(0.5, 1.5), code: chance.once(Number(percent) / 100) ? 1 : 0 }
}

function finishedBy(exit: Exit, durationMs: number, stdout: string): Finished {
  return { exit, durationMs, stdout, stderr: '', truncated: false }
}

function nameOf({ goalId, step, attempt }: CommandKey): string {
  return `${goalId} ${step} ${attempt}`
}
