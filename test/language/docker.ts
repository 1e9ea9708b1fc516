/** A container engine of the tests' own, in a network namespace of its own: its rules for packets would cut the machine's. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const DOCKERD = '/usr/sbin/dockerd'
const BUSYBOX = '/bin/busybox'
/** How long it may take to answer on a loaded machine. */
const READY_MS = 30_000

export interface TestDocker {
  /** `-H …`: the word of `docker` that reaches it. */
  readonly host: string
  /** Name of a running container with a shell in it. */
  readonly container: string
  stop(): Promise<void>
}

/** Why there can be none, or undefined. */
export function whyNoDocker(): string | undefined {
  if (process.getuid?.() !== 0) return 'a container engine is started by root'
  for (const [file, name] of [
    [DOCKERD, 'docker.io'],
    [BUSYBOX, 'busybox-static']
  ] as const) {
    if (!existsSync(file)) return `${name} is not installed`
  }
  return existsSync('/usr/bin/docker') || existsSync('/usr/local/bin/docker') ? undefined : 'there is no docker command'
}

/** Resolves when a command ran in the container. */
export async function startDocker(): Promise<TestDocker> {
  const directory = mkdtempSync(join(tmpdir(), 'cb-docker-'))
  const namespace = `cb-${process.pid}`
  const host = `unix://${directory}/socket`
  execFileSync('ip', ['netns', 'add', namespace])
  const inside = [`--net=/run/netns/${namespace}`, 'unshare', '-m', '--propagation', 'private', DOCKERD]
  const places = ['root', 'exec', 'pid'].flatMap((name, at) => [['--data-root', '--exec-root', '--pidfile'][at]!, join(directory, name)])
  const engine = spawn('nsenter', [...inside, ...places, '-H', host], { stdio: 'ignore' })
  const stop = async (): Promise<void> => {
    spawnSync('docker', ['-H', host, 'rm', '-f', 'there'], { stdio: 'ignore' })
    if (engine.exitCode === null && engine.signalCode === null) {
      engine.kill('SIGTERM')
      await once(engine, 'exit')
    }
    execFileSync('ip', ['netns', 'del', namespace])
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await ready(engine, host)
    fill(directory, host)
  } catch (error) {
    await stop()
    throw error
  }
  return { host, container: 'there', stop }
}

async function ready(engine: ChildProcess, host: string): Promise<void> {
  for (const end = Date.now() + READY_MS; spawnSync('docker', ['-H', host, 'version'], { stdio: 'ignore' }).status !== 0; ) {
    if (engine.exitCode !== null || Date.now() > end) throw new Error(`dockerd does not answer (exit ${engine.exitCode})`)
    await sleep(100)
  }
}

/** An image of one static program, and a container that stays. */
function fill(directory: string, host: string): void {
  const bin = join(directory, 'image/bin')
  mkdirSync(bin, { recursive: true })
  copyFileSync(BUSYBOX, join(bin, 'busybox'))
  for (const name of ['sh', 'od', 'tr', 'printf', 'id', 'sleep', 'cat']) symlinkSync('busybox', join(bin, name))
  const tar = execFileSync('tar', ['-C', join(directory, 'image'), '-c', '.'], { maxBuffer: 64 * 2 ** 20 })
  const image = execFileSync('docker', ['-H', host, 'import', '-'], { input: tar, encoding: 'utf8' }).trim()
  execFileSync('docker', ['-H', host, 'run', '-d', '--name', 'there', '--network', 'none', image, '/bin/sleep', '600'], { stdio: 'ignore' })
}
