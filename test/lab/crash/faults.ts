/** How faults are made: by strace at a chosen fdatasync, by signals, by a copied disk, by a clock of its own. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MeshNode } from '../../system/mesh.ts'
import { type Running, start, until } from '../../system/mesh/process.ts'

/** strace that has not ended by then will not by itself, in milliseconds. */
const DEAF_MS = 500
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1'

/** A trap at some fdatasync of one process. */
export interface Trap {
  /** Lets the process go. */
  release(): Promise<void>
}

/**
 * Waits in `pid` for its `at`-th fdatasync from now on, then does `what`. The process must have UV_THREADPOOL_SIZE=1:
 * strace counts per thread.
 */
export async function setTrap(pid: number, at: number, what: 'signal=SIGKILL' | 'error=EIO' | 'error=ENOSPC'): Promise<Trap> {
  const words = ['-f', '-p', String(pid), '-o', '/dev/null', '-e', 'trace=fdatasync', '-e', `inject=fdatasync:${what}:when=${at}`]
  return trapOf(start('strace', words, process.env), pid)
}

/** Counts fdatasyncs of a process until it is released. */
export async function countSyncs(pid: number, file: string): Promise<{ stop(): Promise<number> }> {
  const trap = await trapOf(start('strace', ['-f', '-p', String(pid), '-o', file, '-e', 'trace=fdatasync'], process.env), pid)
  return {
    stop: async () => {
      await trap.release()
      return readFileSync(file, 'utf8')
        .split('\n')
        .filter(line => /fdatasync\(/.test(line)).length
    }
  }
}

async function trapOf(strace: Running, pid: number): Promise<Trap> {
  // Already gone when it died at once: then there is nobody to trap.
  await strace.says(/attached|No such process/, 'stderr').catch(() => undefined)
  return {
    release: async () => {
      strace.signal('SIGTERM')
      // It does not hear that while its prey is dying; when it is gone itself, the kernel lets go.
      const deaf = setTimeout(() => strace.signal('SIGKILL'), DEAF_MS)
      await strace.ended
      clearTimeout(deaf)
      if (isAlive(pid)) process.kill(pid, 'SIGCONT')
    }
  }
}

/** Kills the runner of a node, and with `steps` all that it has started. */
export async function killRunner(node: MeshNode, { steps }: { steps: boolean }): Promise<void> {
  const runner = node.runner()
  if (runner !== undefined) {
    process.kill(runner, 'SIGKILL')
    await until('the runner is gone', () => !isAlive(runner))
  }
  if (!steps) return
  for (const group of groupsOf(node)) {
    try {
      process.kill(-group, 'SIGKILL')
    } catch {
      // It ended by itself.
    }
    await until('the step is gone', () => !isAlive(group))
  }
}

/** Shells of steps have the step's directory among their words. */
function groupsOf(node: MeshNode): number[] {
  const steps = join(node.home.state, 'steps')
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid =>
      commandLine(pid)
        .split('\0')
        .some(word => word.startsWith(`${steps}/`))
    )
    .map(Number)
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** Whether it runs; a zombie does not. */
export function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

/** A disk of its own below `path`, whose power can be cut. Only root can mount it. */
export interface Disk {
  /** The disk as it would be after the power went just now: what was not synced is gone. Nobody may use it meanwhile. */
  cut(): Promise<void>
  remove(): Promise<void>
}

const DISK_BYTES = 256 * 1024 * 1024

/** @throws when this machine does not let us mount */
export function mountDisk(path: string, images: string): Disk {
  mkdirSync(path, { recursive: true })
  mkdirSync(images, { recursive: true })
  let number = 0
  let image = ''
  let device = ''
  const mount = (file: string): void => {
    image = file
    device = run('losetup', '--show', '-f', file)
    run('mount', device, path)
  }
  const unmount = async (): Promise<void> => {
    // Who was killed a moment ago may not have let go yet.
    await until(`${path} is not busy`, () => tryRun('umount', path))
    run('losetup', '-d', device)
  }
  const first = join(images, 'disk-0.img')
  run('truncate', '-s', String(DISK_BYTES), first)
  run('mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', first)
  mount(first)
  return {
    cut: async () => {
      const next = join(images, `disk-${++number}.img`)
      run('cp', '--sparse=always', image, next)
      const before = image
      await unmount()
      rmSync(before)
      mount(next)
    },
    remove: async () => {
      try {
        await unmount()
      } finally {
        rmSync(images, { recursive: true, force: true })
      }
    }
  }
}

/** A host that comes up again has another boot id; a process of this machine cannot have one, so what was noted is changed. */
export function pretendReboot(node: MeshNode): void {
  const file = join(node.home.state, 'steps/host')
  if (existsSync(file)) writeFileSync(file, JSON.stringify({ boot: 'of another start', since: 0 }))
}

function run(command: string, ...words: readonly string[]): string {
  return execFileSync(command, [...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}

function tryRun(command: string, ...words: readonly string[]): boolean {
  try {
    run(command, ...words)
    return true
  } catch {
    return false
  }
}

/** Whether clocks can be set for single processes here. */
export const hasFaketime = (): boolean => existsSync(FAKETIME)

/** Environment of a process whose clock follows {@link setClock}. */
export function clockEnvironment(file: string): NodeJS.ProcessEnv {
  setClock(file, '+0')
  return {
    LD_PRELOAD: FAKETIME,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1'
  }
}

/** Sets the clock by `offset`, such as `-1d`, from the true time. */
export function setClock(file: string, offset: string): void {
  writeFileSync(`${file}.new`, `${offset}\n`)
  renameSync(`${file}.new`, file)
}
