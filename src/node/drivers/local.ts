/** The driver for this machine: steps become commands of the runner, their output files, their values. */
import { mkdir, rename, rm, symlink } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Command, CommandKey, Driver, Finished } from '../../goals/ports.ts'
import type { OutputChunk } from '../../goals/pursuit/events.ts'
import type { Ended, Runner } from '../runner/protocol.ts'
import { goalDirectory, OUT, stepDirectory } from '../runner/step-directory.ts'
import { connectionDirectory, dropConnectionDirectory } from './connections.ts'
import { type OutputPlace, outputValue, readOutput, writeMirror } from './output.ts'
import { dropPrivateFiles, readPrivateFile, writePrivateFile } from './private-files.ts'
import { type OutputListener, outputTails } from './tail.ts'
import { textFiles } from './text-files.ts'

/** The port, and access to what commands printed. */
export interface LocalDriver extends Driver {
  /** @param beganAt epoch milliseconds of the step's intent: see {@link Runner.recover} */
  recover(key: CommandKey, beganAt?: number): Promise<Finished>
  /** Up to 64 KiB of output from an offset on; empty at its end. Works for own steps and mirrored ones. */
  readOutput(place: OutputPlace): Promise<Uint8Array>
  /** Output of steps of this goal as it comes, each running stream from its first byte; readers skip by offset. @returns ends it */
  tailOutput(goalId: string, listener: OutputListener): () => void
  /** Keeps output of a step that runs elsewhere and shows it to those who follow. @returns bytes of that stream that are here */
  writeMirror(chunk: OutputChunk): Promise<number>
  /** Removes what the steps of a goal left here: output, and how they ended. For goals that are over. */
  dropOutput(goalId: string): Promise<void>
  /** No more output of this mirrored step is coming. */
  endMirror(key: CommandKey): Promise<void>
  close(): Promise<void>
}

/** @param state the node's state directory */
export function localDriver(state: string, runner: Runner): LocalDriver {
  const tails = outputTails(state)
  let shared: string | undefined

  const finish = async (key: CommandKey, ended: Ended): Promise<Finished> => {
    await tails.ended(key)
    const [out, err] = await Promise.all([outputValue(state, key, 'stdout'), outputValue(state, key, 'stderr')])
    return { ...ended, stdout: out.text, stderr: err.text, truncated: out.truncated || err.truncated }
  }
  return {
    run: async command => {
      const { key, argv, cwd, timeoutMs } = command
      tails.began(key)
      if (command.label !== undefined) await linkLabel(state, key, command.label)
      const request = {
        key,
        argv,
        env: environmentOf(command),
        ...(cwd === undefined ? {} : { cwd }),
        ...(timeoutMs === undefined ? {} : { timeoutMs })
      }
      return finish(key, await runner.start(request))
    },
    recover: async (key, beganAt) => {
      tails.began(key)
      return finish(key, await runner.recover(key, beganAt))
    },
    stop: key => runner.stop(key),
    writeFile: (goalId, name, text) => writePrivateFile(state, goalId, name, text),
    readFile: (goalId, name) => readPrivateFile(state, goalId, name),
    files: textFiles,
    interpreters: { javascript: process.execPath, python: 'python3' },
    connections: async () => {
      shared = await connectionDirectory(state)
      return shared
    },
    dropFiles: goalId => dropPrivateFiles(state, goalId),
    readOutput: place => readOutput(state, place),
    tailOutput: (goalId, listener) => tails.follow(goalId, listener),
    writeMirror: async chunk => {
      const { goalId, step, attempt } = chunk
      const size = await writeMirror(state, chunk)
      tails.began({ goalId, step, attempt })
      tails.grew(chunk)
      return size
    },
    endMirror: key => tails.ended(key),
    dropOutput: goalId => rm(goalDirectory(state, goalId), { recursive: true, force: true }),
    close: async () => {
      tails.close()
      if (shared !== undefined) await dropConnectionDirectory(shared)
      await runner.close()
    }
  }
}

/**
 * A command that talks to a remote API can make its request idempotent by the key: the same at every try, and another one when the
 * step is done again, since what it read has changed or what it did is gone.
 */
function environmentOf({ key, group = 0, env }: Command): Record<string, string> {
  const again = group === 0 ? '' : `/${group}`
  return { ...env, CB_IDEMPOTENCY_KEY: `${key.goalId}/${key.step}${again}`, CB_GOAL_ID: key.goalId, CB_STEP: key.step }
}

/** `<goal>/labels/<label>.log` leads to what the latest step of that label prints. A convenience: its failure is none of the step's. */
async function linkLabel(state: string, key: CommandKey, label: string): Promise<void> {
  const directory = join(goalDirectory(state, key.goalId), 'labels')
  const link = join(directory, `${label.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 100)}.log`)
  const target = relative(directory, join(stepDirectory(state, key), OUT))
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await symlink(target, `${link}.new`)
    await rename(`${link}.new`, link)
  } catch {
    // The output itself is found by its step.
  }
}
