/**
 * Edits texts in a thread of its own, with a time limit: patterns are JavaScript's, which can take for ever on a short line, and
 * neither that nor a long file may hold up the daemon. Why not an engine without backtracking: docs/decisions/0009.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { FoundText } from '../../goals/ports.ts'
import type { EditedText, FileEdits } from '../../goals/pursuit/edited-text.ts'
import type { FromEditor, ToEditor } from './worker.ts'

/** Longest time for the edits of one file, in milliseconds: plain patterns need less than one second for the longest file. */
export const EDIT_MS_MAX = 10_000
/** A thread without work ends after this, in milliseconds: the next steps of a method often edit too. */
const IDLE_MS = 5_000

/** A thread that waits for work, and the end of its waiting. */
let idle: { readonly worker: Worker; readonly timer: NodeJS.Timeout } | undefined

/** The file after its edits, or why they cannot be made. Never throws. @param limitMs after which the edit that takes so long is named */
export function editText(edits: FileEdits, found: FoundText, limitMs = EDIT_MS_MAX): Promise<EditedText> {
  return new Promise(resolve => {
    const worker = take()
    let at = 0
    let timer: NodeJS.Timeout | undefined
    const done = (edited: EditedText): void => {
      clearTimeout(timer)
      forget(worker)
      resolve(edited)
    }
    worker.on('message', (message: FromEditor) => {
      if ('at' in message) {
        at = message.at
        // the start of a thread on a busy machine is not the pattern's
        timer ??= setTimeout(() => {
          void worker.terminate()
          done({ problem: tooLong(edits, at, limitMs) })
        }, limitMs)
      } else {
        done(message.edited)
        keep(worker)
      }
    })
    worker.on('error', error => done({ problem: `${edits.path}: ${error.message}` }))
    worker.on('exit', () => done({ problem: `${edits.path}: the thread that edits ended` }))
    worker.ref()
    worker.postMessage({ edits, found } satisfies ToEditor)
  })
}

function tooLong({ path, edits }: FileEdits, at: number, limitMs: number): string {
  const edit = edits[at]
  const which = edit === undefined ? '' : `${edit.place.line}:${edit.place.col}: <${edit.kind}> `
  return `${path}: ${which}takes longer than ${limitMs / 1000} s: its pattern, /${edit?.pattern ?? ''}/, can match in too many ways; do not nest * and + as in (a+)+`
}

function take(): Worker {
  const waiting = idle
  idle = undefined
  if (waiting === undefined) return new Worker(workerFile(), { name: 'editor' })
  clearTimeout(waiting.timer)
  forget(waiting.worker)
  return waiting.worker
}

/** One thread waits for the next edit; it keeps no process alive. */
function keep(worker: Worker): void {
  if (idle !== undefined) return void worker.terminate()
  const timer = setTimeout(() => {
    idle = undefined
    void worker.terminate()
  }, IDLE_MS).unref()
  worker.unref()
  // one that fails while nobody asks for anything is not used again
  worker.on('error', () => {
    idle = undefined
  })
  idle = { worker, timer }
}

function forget(worker: Worker): void {
  for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event)
}

/** Built, the worker stands beside or above this file; in a checkout it is source, and its thread has to learn to read that first. */
function workerFile(): string | URL {
  const here = fileURLToPath(import.meta.url)
  if (here.endsWith('.ts')) {
    const tsx = import.meta.resolve('tsx/esm/api')
    const source = pathToFileURL(join(dirname(here), 'worker.ts')).href
    return new URL(`data:text/javascript,import { register } from '${tsx}'; register(); await import('${source}')`)
  }
  const built = ['editor.js', '../editor.js'].map(name => join(dirname(here), name)).find(file => existsSync(file))
  if (built === undefined) throw new Error(`editor.js is missing beside ${here}`)
  return built
}
