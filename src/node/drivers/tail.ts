/** Follows the output of commands while they run. The files are the buffer, so a slow reader costs nothing but its own time. */
import { type FSWatcher, mkdirSync, watch } from 'node:fs'
import type { CommandKey } from '../../goals/ports.ts'
import type { OutputChunk } from '../../goals/pursuit/events.ts'
import { OUTPUT_BYTES_MAX } from '../runner/output-cap.ts'
import { stepDirectory } from '../runner/step-directory.ts'
import { readOutput, type StreamName } from './output.ts'

/** Takes pieces in order per stream; the next one comes when its promise is done. */
export type OutputListener = (chunk: OutputChunk) => void | Promise<void>

/** Who follows what. */
export interface Tails {
  /** Every piece of output of the goal's running steps, each stream from its first byte. @returns ends it */
  follow(goalId: string, listener: OutputListener): () => void
  /** A command begins, or its output begins to arrive. */
  began(key: CommandKey): void
  /** There is more of it. */
  grew(key: CommandKey): void
  /** It has ended; resolves when everybody has been given all of it, or is too slow to be waited for. */
  ended(key: CommandKey): Promise<void>
  close(): void
}

/** How long a step's end waits for those who read its output, in milliseconds: so that a quick reader sees output before outcome. */
const LAST_READ_MS = 250
/** Should a notice of the kernel be missing, the files are looked at this often, in milliseconds. */
const LOOK_EVERY_MS = 500

/** One listener on one command. */
interface Follower {
  /** Reads all there is now; calls do not overlap. */
  pump(): Promise<void>
  /** No more is coming, so the mark of a cut may be read too. */
  finish(): Promise<void>
  stop(): void
}

interface Command {
  readonly key: CommandKey
  readonly followers: Map<OutputListener, Follower>
}

/** @param state the node's state directory */
export function outputTails(state: string): Tails {
  const commands = new Map<string, Command>()
  const listeners = new Map<string, Set<OutputListener>>()

  const attach = (command: Command, listener: OutputListener): void => {
    if (!command.followers.has(listener)) command.followers.set(listener, follower(state, command.key, listener))
  }
  return {
    follow: (goalId, listener) => {
      const all = listeners.get(goalId) ?? new Set()
      listeners.set(goalId, all.add(listener))
      for (const command of commands.values()) if (command.key.goalId === goalId) attach(command, listener)
      return () => {
        all.delete(listener)
        if (all.size === 0 && listeners.get(goalId) === all) listeners.delete(goalId)
        for (const { followers } of commands.values()) {
          followers.get(listener)?.stop()
          followers.delete(listener)
        }
      }
    },
    began: key => {
      const directory = stepDirectory(state, key)
      const command = commands.get(directory) ?? { key, followers: new Map() }
      commands.set(directory, command)
      for (const listener of listeners.get(key.goalId) ?? []) attach(command, listener)
    },
    grew: key => {
      for (const one of commands.get(stepDirectory(state, key))?.followers.values() ?? []) void one.pump()
    },
    ended: async key => {
      // Of steps without output there may be many, and none runs.
      if (commands.size === 0) return
      const directory = stepDirectory(state, key)
      const followers = [...(commands.get(directory)?.followers.values() ?? [])]
      commands.delete(directory)
      if (followers.length > 0) await within(LAST_READ_MS, Promise.all(followers.map(one => one.finish())))
    },
    close: () => {
      for (const { followers } of commands.values()) for (const one of followers.values()) one.stop()
      commands.clear()
      listeners.clear()
    }
  }
}

function follower(state: string, key: CommandKey, listener: OutputListener): Follower {
  const offsets: Record<StreamName, number> = { stdout: 0, stderr: 0 }
  let reading: Promise<void> | undefined
  let again = false
  let finished = false
  let stopped = false

  const readOn = async (stream: StreamName): Promise<void> => {
    while (!stopped) {
      const { goalId, step, attempt } = key
      const read = await readOutput(state, { goalId, step, attempt, stream, from: offsets[stream] })
      // While the command runs, what lies behind the limit may yet be cut off.
      const bytes = finished ? read : read.subarray(0, Math.max(0, OUTPUT_BYTES_MAX - offsets[stream]))
      if (bytes.length === 0 || stopped) return
      await listener({ goalId, step, attempt, stream, offset: offsets[stream], bytes })
      offsets[stream] += bytes.length
    }
  }
  const pump = (): Promise<void> => {
    again = true
    reading ??= (async () => {
      while (again && !stopped) {
        again = false
        await Promise.all([readOn('stdout'), readOn('stderr')])
      }
    })()
      // A listener that fails is not told more; the output stays where it is.
      .catch(() => stop())
      .finally(() => {
        reading = undefined
      })
    return reading
  }
  const stop = (): void => {
    stopped = true
    unwatch()
  }
  const unwatch = watchDirectory(stepDirectory(state, key), () => void pump())
  void pump()
  return {
    pump,
    stop,
    finish: async () => {
      finished = true
      unwatch()
      await reading
      await pump()
    }
  }
}

function watchDirectory(directory: string, changed: () => void): () => void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(directory, changed)
    watcher.on('error', () => undefined)
  } catch {
    // Out of watches: looking now and then has to do.
  }
  const timer = setInterval(changed, LOOK_EVERY_MS)
  timer.unref()
  return () => {
    watcher?.close()
    clearInterval(timer)
  }
}

async function within(ms: number, task: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([task, new Promise(resolve => (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}
