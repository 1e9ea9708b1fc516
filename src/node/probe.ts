/** Answers questions about this machine: files, environment, pure shells, what the node knows. */
import { spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { accessSync, constants as fileConstants, type Stats, statSync } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { constants } from 'node:os'
import { toErrorData } from '../errors.ts'
import { OUTPUT_VALUE_BYTES_MAX, type Fact, type FactQuery, type Probe } from '../goals/ports.ts'
import { readText } from './drivers/text-files.ts'
import type { FileEdits } from '../goals/pursuit/edited-text.ts'
import type { FileTest } from '../goals/program/model.ts'
import type { Tree } from '../goals/tree.ts'
import { seenTogether } from './listed-files.ts'

/** What the probe needs of the node. */
export interface ProbeNeeds {
  /** The value at a path below `nodes.`, undefined when nothing is known there. */
  readonly state: (path: string) => Tree | undefined | Promise<Tree | undefined>
  /** Where the file with this SHA-256 is; `fetch`: it is got from another node when it is not here. Absent: there are none. */
  readonly file?: (hash: string, fetch: boolean) => Promise<string | undefined>
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Variables of the environment; the process's own by default. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Where pure shells run. */
  readonly cwd?: string
  /** This process has nothing else to do while it looks at files: without a detour by threads that takes a sixth of the time. */
  readonly isAlone?: true
}

/** Status of a pure shell that could not be run, as shells tell it. */
const NOT_FOUND_STATUS = 127
/** Status of a pure shell that took too long, as timeout(1) tells it. */
const TIMED_OUT_STATUS = 124
/** Status of a pure shell that signal N ended is this plus N, as shells tell it. */
const SIGNALLED_STATUS = 128
/** Most questions in work at once: each may be a process. */
const AT_ONCE_MAX = 8

/** The probe of this machine. */
export function machineProbe(needs: ProbeNeeds): Probe {
  const answer = (query: FactQuery): Fact | Promise<Fact> => {
    switch (query.kind) {
      case 'file':
        if (needs.isAlone) return { kind: 'bool', value: fileTestNow(query.test, query.path) }
        return fileTest(query.test, query.path).then(value => ({ kind: 'bool', value }))
      case 'edited':
        return editFile(query.edits)
      case 'contents':
        return digestOf(query.path)
      case 'env':
        return { kind: 'text', value: (needs.env ?? process.env)[query.name] }
      case 'shell':
        return runPure(query.argv, query.timeoutMs, needs)
      case 'state':
        return Promise.resolve(needs.state(query.path)).then(value => ({ kind: 'tree', value }))
      case 'artifact':
        return artifact(query.reference, query.fetch, needs)
      case 'now':
        return { kind: 'text', value: new Date(needs.now()).toISOString() }
      case 'secret':
        return { kind: 'text', value: undefined } // the vault's, not the machine's
      case 'uuid':
        return { kind: 'text', value: randomUUID() }
    }
  }
  return {
    gather: async queries => {
      const facts = new Array<Fact>(queries.length)
      const seen = await seenTogether(queries)
      for (const [at, value] of seen) facts[at] = { kind: 'bool', value }
      let next = 0
      const work = async (): Promise<void> => {
        for (let at = next++; at < queries.length; at = next++) {
          if (seen.has(at)) continue
          const fact = answer(queries[at]!)
          facts[at] = fact instanceof Promise ? await fact : fact
        }
      }
      await Promise.all(Array.from({ length: Math.min(AT_ONCE_MAX, queries.length) }, work))
      return facts
    }
  }
}

async function artifact(reference: string, fetch: boolean, { file }: ProbeNeeds): Promise<Fact> {
  const why = 'files by what is in them are fetched by daemons: start cloudburstd, and load the program'
  try {
    const path = await file?.(reference.slice('sha256:'.length), fetch)
    return path === undefined ? { kind: 'artifact', why } : { kind: 'artifact', path }
  } catch (error) {
    return { kind: 'artifact', why: toErrorData(error).message }
  }
}

async function editFile(edits: FileEdits): Promise<Fact> {
  const found = await readText(edits.path)
  const { editText } = await import('./editing/edit-text.ts')
  return { kind: 'edited', edited: await editText(edits, found) }
}

async function digestOf(path: string): Promise<Fact> {
  const found = await readText(path)
  return { kind: 'text', value: found.kind === 'text' ? createHash('sha256').update(found.text).digest('hex') : undefined }
}

/** A file that cannot be looked at counts as not there, as in test(1). */
async function fileTest(test: FileTest, path: string): Promise<boolean> {
  try {
    const found = await stat(path)
    if (test === 'executable') await access(path, fileConstants.X_OK)
    return isA(test, found)
  } catch {
    return false
  }
}

/** The same at once. */
function fileTestNow(test: FileTest, path: string): boolean {
  try {
    const found = statSync(path, { throwIfNoEntry: false })
    if (found !== undefined && test === 'executable') accessSync(path, fileConstants.X_OK)
    return found !== undefined && isA(test, found)
  } catch {
    return false
  }
}

function isA(test: FileTest, found: Stats): boolean {
  switch (test) {
    case 'exists':
      return true
    case 'file':
    case 'executable':
      return found.isFile()
    case 'directory':
      return found.isDirectory()
  }
}

/** Its first OUTPUT_VALUE_BYTES_MAX bytes are its value; when its time is over, everything it started ends with it. */
function runPure(argv: readonly string[], timeoutMs: number, { env = process.env, cwd = '/' }: ProbeNeeds): Promise<Fact> {
  return new Promise(resolve => {
    const [program = '', ...rest] = argv
    const kept: Buffer[] = []
    let room = OUTPUT_VALUE_BYTES_MAX
    const tell = (code: number): void => {
      clearTimeout(timer)
      child.stdout.destroy()
      resolve({ kind: 'shell', code, stdout: new TextDecoder().decode(Buffer.concat(kept)) })
    }
    const child = spawn(program, rest, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
    const timer = setTimeout(() => {
      killGroup(child.pid)
      tell(TIMED_OUT_STATUS)
    }, timeoutMs)
    child.stdout.on('data', (chunk: Buffer) => {
      if (room > 0) kept.push(chunk.subarray(0, room))
      room -= Math.min(room, chunk.length)
    })
    child.once('error', () => tell(NOT_FOUND_STATUS))
    child.once('close', (code, signal) => tell(code ?? SIGNALLED_STATUS + (constants.signals[signal!] ?? 0)))
  })
}

function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL')
  } catch {
    // Gone already.
  }
}
