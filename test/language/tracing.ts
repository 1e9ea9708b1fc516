/** What a traced process has done to files and processes. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Calls that change a file system, but for opening files to write, which is seen by its flags. */
const CHANGES = ['mkdir', 'rmdir', 'unlink', 'rename', 'link', 'symlink', 'chmod', 'chown', 'truncate', 'mknod', 'utime', 'setxattr']
const changing = new RegExp(`^(${CHANGES.map(call => `${call}(at2?|ensat|s|ns|_ns)?`).join('|')})\\(`)
const opening = /^open(at)?\(.*O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)/
/** What tsx starts for a module that is imported late: part of the tracing, not of planning. */
const compiler = /\/node_modules\/@esbuild\//
/** What a process needs for itself. */
const harmless = /"\/dev\/(null|tty|pts\/\d+)"|O_TMPFILE|ENOENT|"\/proc\/self\//

/** The calls that have changed a file system. */
export function changesOf(calls: readonly string[]): readonly string[] {
  return calls.filter(call => (changing.test(call) || opening.test(call)) && !harmless.test(call))
}

/** @param own the first that were started are what is traced itself */
export function withoutEffect(calls: readonly string[], own: number): void {
  assert.deepEqual(changesOf(calls), [])
  const started = calls.filter(call => call.startsWith('execve(') && call.endsWith('= 0')).slice(own)
  assert.deepEqual(
    started.filter(call => !call.includes('["/bin/bash", "-c", "true"]') && !compiler.test(call)),
    []
  )
}

/** The calls about files and processes that `node` with these words and its children made, and what it printed. */
export async function trace(place: string, words: readonly string[]): Promise<{ exit: number; calls: readonly string[]; said: string }> {
  const log = join(place, 'trace')
  const options = ['-f', '-qq', '--seccomp-bpf', '-s', '200', '-e', 'trace=file,process', '-e', 'signal=none', '-o', log]
  const env = { ...process.env, HOME: place, TSX_DISABLE_CACHE: '1', ESBUILD_WORKER_THREADS: '0' }
  const { exit, said } = await new Promise<{ exit: number; said: string }>(resolve => {
    execFile('strace', [...options, process.execPath, ...words], { cwd: place, env }, (error, stdout, stderr) =>
      resolve({ exit: error === null ? 0 : Number(error.code), said: error === null ? stdout : stdout + stderr })
    )
  })
  const lines = readFileSync(log, 'utf8').split('\n')
  return { exit, said, calls: lines.map(line => line.replace(/^\d+ +/, '')) }
}
