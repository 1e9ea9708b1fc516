/**
 * Starts commands, ends them in time, knows how they ended. Pure of sockets: main.ts serves it to a daemon,
 * solo mode calls it in its own process. Each command is a process group of its own, led by the shell of exit-file.ts.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandKey, Exit } from '../../goals/ports.ts'
import { type Adopted, adopt } from './adoption.ts'
import { appendEnded, type Ended, exitOf, readExitFile } from './exit-file.ts'
import { openExitLog } from './exit-log.ts'
import type { Forks } from './forks.ts'
import { hostSince, upMs } from './host-start.ts'
import { type Gone, launch } from './launch.ts'
import { capOutput, LOOK_EVERY_MS } from './output-cap.ts'
import { endGroup, groupAlive } from './process-group.ts'
import type { Runner, StartRequest } from './protocol.ts'
import { readyDirectories } from './ready-directories.ts'
import { EXIT, META, type StepMeta, stepDirectory, stepsDirectory } from './step-directory.ts'

/** A runner in this process, with a look at what it is doing. */
export interface LocalRunner extends Runner {
  /** Commands that run now. */
  readonly running: number
  /** Environment that every command gets, before its own. */
  setEnvironment(env: Readonly<Record<string, string | undefined>>): void
}

/** A command on its way. */
interface Running {
  /** Process group, once there is one. */
  leader?: number | undefined
  /** Why it was ended, if by us. */
  cause?: Extract<Exit, { kind: 'timed-out' | 'stopped' }> | undefined
  ending?: Promise<void>
  ended: Promise<Ended>
}

/** Longest delay of a timer in Node, in milliseconds; a longer timeout is none. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** Commands after which a large process lets a small one start them: that takes as long to come up as this many save. */
const FORKS_AFTER = 24
/**
 * @param state the node's state directory; commands leave their files in `steps/` there
 * @param openForks of a large process: opens a small one that starts commands for it once there are many
 */
export async function createRunner(
  state: string,
  { onProblem = () => undefined, openForks }: { onProblem?: (error: unknown) => void; openForks?: () => Forks } = {}
): Promise<LocalRunner> {
  const steps = stepsDirectory(state)
  mkdirSync(steps, { recursive: true, mode: 0o700 })
  const log = await openExitLog(steps)
  const since = hostSince(state)
  const ready = readyDirectories(steps)
  const running = new Map<string, Running>()
  let environment: Readonly<Record<string, string | undefined>> = { ...process.env }
  let capTimer: NodeJS.Timeout | undefined
  let started = 0
  let forks: Forks | undefined

  const watchOutput = (): void => {
    capTimer ??= setInterval(() => {
      for (const directory of running.keys()) capOutput(directory)
      if (running.size > 0) return
      clearInterval(capTimer)
      capTimer = undefined
    }, LOOK_EVERY_MS)
  }
  const track = (directory: string, task: Running, ended: Promise<Ended>): Promise<Ended> => {
    task.ended = ended.finally(() => {
      running.delete(directory)
      ready.prepare()
    })
    running.set(directory, task)
    watchOutput()
    return task.ended
  }
  const end = (task: Running, cause: Running['cause']): Promise<void> => {
    task.cause ??= cause
    task.ending ??= task.leader === undefined ? Promise.resolve() : endGroup(task.leader)
    return task.ending
  }
  const limit = (task: Running, timeoutMs: number | undefined, spentMs: number): NodeJS.Timeout | undefined => {
    if (timeoutMs === undefined || timeoutMs > TIMER_MS_MAX) return undefined
    return setTimeout(() => void end(task, { kind: 'timed-out', afterMs: timeoutMs }), Math.max(0, timeoutMs - spentMs))
  }
  /**
   * Written, then told: a killed process loses nothing of that. What a crash of the host would lose is synced meanwhile; the daemon
   * tells nobody before its own journal is. When the disk refuses it is told all the same: the journal decides what that is worth.
   */
  const record = (directory: string, ended: Ended): Ended => {
    try {
      capOutput(directory)
      appendEnded(directory, ended)
    } catch (error) {
      onProblem(error)
    }
    log.append(directory.slice(steps.length + 1), ended).catch(onProblem)
    return ended
  }

  const execute = async (directory: string, request: StartRequest, task: Running): Promise<Ended> => {
    const began = performance.now()
    if (++started === FORKS_AFTER) forks = openForks?.()
    const launched = forks?.isReady === true ? await forks.launch(directory, request) : launch(directory, request, environment)
    if (typeof launched === 'string') return record(directory, notStarted(launched))
    const { pid } = launched
    const timer = limit(task, request.timeoutMs, performance.now() - began)
    task.leader = pid === 0 ? undefined : pid
    // It was to be ended before it was known.
    if (task.cause !== undefined && pid !== 0) task.ending = endGroup(pid)
    const gone = await launched.gone
    if (gone.unseen === true) await unseen(directory, task)
    clearTimeout(timer)
    const durationMs = Math.round(performance.now() - began)
    await task.ending
    const file = readExitFile(directory)
    if (file.pid === undefined && gone.code === null && gone.signal === null && gone.unseen === undefined)
      return record(directory, notStarted(launched.problem()))
    return record(directory, { exit: task.cause ?? exitOf(file) ?? endedBy(gone, pid), durationMs })
  }
  /** Who started it is gone: its end is seen by looking. */
  const unseen = async (directory: string, task: Running): Promise<void> => {
    const adopted = await adopt(directory)
    task.leader ??= adopted.pid
    if (task.cause !== undefined && adopted.pid !== undefined) task.ending = endGroup(adopted.pid)
    await adopted.gone
  }

  const takeOver = async (directory: string, adopted: Adopted, meta: StepMeta, task: Running): Promise<Ended> => {
    const timer = limit(task, meta.timeoutMs, spentBy(meta))
    task.leader = adopted.pid
    await adopted.gone
    clearTimeout(timer)
    await task.ending
    const exit = task.cause ?? exitOf(readExitFile(directory)) ?? { kind: 'lost' }
    const durationMs = Math.max(0, Math.round(lastWordAt(directory) - meta.startedAt))
    return record(directory, { exit, durationMs: Math.min(durationMs, spentBy(meta)) })
  }

  const recover = async (key: CommandKey, beganAt?: number): Promise<Ended> => {
    const directory = stepDirectory(state, key)
    const here = running.get(directory)
    if (here !== undefined) return here.ended
    const meta = readMeta(directory) ?? (startedSince(since, beganAt) ? spend(directory, key) : undefined)
    if (meta?.never === true) return notStarted('the daemon ended before it could be started')
    const known = readExitFile(directory).ended ?? (await log.find(directory.slice(steps.length + 1)))
    if (known !== undefined) return known
    const meanwhile = running.get(directory)
    if (meanwhile !== undefined) return meanwhile.ended
    if (meta === undefined) return { exit: { kind: 'lost' }, durationMs: 0 }
    const task: Running = { ended: Promise.resolve(notStarted('')) }
    return track(
      directory,
      task,
      adopt(directory).then(adopted => takeOver(directory, adopted, meta, task))
    )
  }

  return {
    get running() {
      return running.size
    },
    setEnvironment: env => {
      environment = env
    },
    start: async request => {
      const directory = stepDirectory(state, request.key)
      try {
        const meta = { ...request.key, startedAt: Date.now(), startedUpMs: upMs(), ...optional('timeoutMs', request.timeoutMs) }
        if (!ready.place(directory, meta) && !claim(directory, meta)) return await recover(request.key)
      } catch (error) {
        return notStarted(textOf(error))
      }
      const task: Running = { ended: Promise.resolve(notStarted('')) }
      return track(directory, task, execute(directory, request, task))
    },
    recover,
    stop: async key => {
      const task = running.get(stepDirectory(state, key))
      if (task === undefined) return
      await end(task, { kind: 'stopped' })
      await task.ended
    },
    close: async () => {
      clearInterval(capTimer)
      forks?.close()
      await log.close()
    }
  }
}

/** What the shell's own end says where it could not write anything. */
function endedBy({ signal }: Gone, leader: number): Exit {
  return signal !== null && !groupAlive(leader) ? { kind: 'signalled', signal } : { kind: 'lost' }
}

/** Makes the key ours. @returns false when it was taken before */
function claim(directory: string, meta: StepMeta): boolean {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  try {
    writeFileSync(join(directory, META), JSON.stringify(meta), { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Marks a key that nobody has used, so that a start which is still under way is refused. */
function spend(directory: string, key: CommandKey): StepMeta | undefined {
  const meta: StepMeta = { ...key, startedAt: Date.now(), never: true }
  return claim(directory, meta) ? meta : readMeta(directory)
}

/** Nothing written is lost while the host is up, so a command without a trace was not started if the intent is younger than that. */
function startedSince(since: number, beganAt: number | undefined): boolean {
  return beganAt !== undefined && beganAt >= since && beganAt <= Date.now()
}

/** How long a command has been running: by the clock only where its start was not told by anything better. */
function spentBy({ startedAt, startedUpMs }: StepMeta): number {
  return Math.max(0, startedUpMs === undefined ? Date.now() - startedAt : upMs() - startedUpMs)
}

function readMeta(directory: string): StepMeta | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, META), 'utf8')) as StepMeta
  } catch {
    return undefined
  }
}

/** When the shell wrote how the command ended, which may be long ago. */
function lastWordAt(directory: string): number {
  return statSync(join(directory, EXIT), { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
}

function notStarted(message: string): Ended {
  return { exit: { kind: 'not-started', message }, durationMs: 0 }
}

function optional<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: V })
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
