/** The daemon as a service of this machine, under whichever init it has, or in the background without any. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { CloudburstError } from '../../errors.ts'
import { checkHomeThere, resolveHome } from '../home.ts'
import { logrotateText, openrcScript, type Service, serviceEnvironment, sudoersText, systemdUnit, sysvScript } from './service-files.ts'

export const serviceKinds = ['systemd', 'openrc', 'sysv', 'background'] as const
export type ServiceKind = (typeof serviceKinds)[number]

const UNIT = '/etc/systemd/system/cloudburst.service'
/** Of the package of rpm; then there is no need of ours. */
const PACKAGED_UNIT = '/usr/lib/systemd/system/cloudburst.service'
const SCRIPT = '/etc/init.d/cloudburst'
const ROTATE = '/etc/logrotate.d/cloudburst'
/** A log of a daemon in the background that is longer, in bytes, is put aside when the daemon starts. */
const LOG_BYTES_MAX = 10 * 1024 * 1024
/** How long a daemon may take to end, in milliseconds: longer than its own way down. */
const STOP_MS = 30_000
const STOP_POLL_MS = 50

/** The init of this machine. */
export function serviceKind(uid = process.getuid?.()): ServiceKind {
  if (uid !== 0) return 'background'
  if (existsSync('/run/systemd/system')) return 'systemd'
  if (existsSync('/run/openrc/softlevel')) return 'openrc'
  return existsSync('/etc/init.d') && has('update-rc.d') ? 'sysv' : 'background'
}

/**
 * The programs that this process is of: by the link that an upgrade turns, where it was delivered.
 * @param program path of the CLI that runs
 */
export function programsOf(program: string): Pick<Service, 'cli' | 'daemon'> {
  const tree = dirname(dirname(dirname(realpathSync(program))))
  const current = join(dirname(dirname(tree)), 'current')
  const bin = join(existsSync(join(current, 'MANIFEST')) ? current : tree, 'bin')
  if (existsSync(join(bin, 'cloudburstd'))) return { cli: join(bin, 'cloudburst'), daemon: join(bin, 'cloudburstd') }
  const dist = dirname(realpathSync(program))
  return { cli: join(dist, 'cloudburst.js'), daemon: join(dist, 'cloudburstd.js') }
}

/**
 * Installs, enables and starts the service; with `restart` also when it runs. Returns when it is ready, or, in the background, begun.
 * @throws CloudburstError CB_DELIVERY_FAILED with the last lines of its log, CB_HOME_MISSING before anything is installed
 */
export function startService(kind: Exclude<ServiceKind, 'background'>, service: Service, restart: boolean): void {
  checkHomeThere(resolveHome(undefined, {}, 0))
  if (kind === 'systemd') {
    const changed = existsSync(PACKAGED_UNIT) ? false : put(UNIT, systemdUnit(service), 0o644)
    if (changed) run('systemctl', ['daemon-reload'])
    run('systemctl', ['enable', '--quiet', 'cloudburst.service'])
    const started = spawnSync('systemctl', [restart || changed ? 'restart' : 'start', 'cloudburst.service'], { encoding: 'utf8' })
    if (started.status !== 0) throw notStarted(journalOf())
    return
  }
  put(SCRIPT, kind === 'openrc' ? openrcScript(service) : sysvScript(service), 0o755)
  if (existsSync(dirname(ROTATE))) put(ROTATE, logrotateText(backgroundFiles('/var/lib/cloudburst').log), 0o644)
  if (kind === 'openrc') {
    run('rc-update', ['add', 'cloudburst', 'default'])
    run('rc-service', ['cloudburst', restart ? 'restart' : 'start'])
  } else {
    run('update-rc.d', ['cloudburst', 'defaults'])
    run(SCRIPT, [restart ? 'restart' : 'start'])
  }
}

/** Ends the service; with `remove` it is also forgotten by the init. Steps that run go on in the runner. */
export function stopService(kind: Exclude<ServiceKind, 'background'>, remove: boolean): void {
  const words: Readonly<Record<typeof kind, readonly (readonly string[])[]>> = {
    systemd: [['systemctl', remove ? 'disable' : 'stop', ...(remove ? ['--now', '--quiet'] : []), 'cloudburst.service']],
    openrc: [['rc-service', 'cloudburst', 'stop'], ...(remove ? [['rc-update', 'del', 'cloudburst', 'default']] : [])],
    sysv: [[SCRIPT, 'stop'], ...(remove ? [['update-rc.d', '-f', 'cloudburst', 'remove']] : [])]
  }
  const file = kind === 'systemd' ? UNIT : SCRIPT
  if (!existsSync(file) && !(kind === 'systemd' && existsSync(PACKAGED_UNIT))) return
  for (const [program = '', ...rest] of words[kind]) spawnSync(program, rest, { stdio: 'ignore' })
  if (!remove) return
  rmSync(file, { force: true })
  rmSync(ROTATE, { force: true })
  if (kind === 'systemd') spawnSync('systemctl', ['daemon-reload'], { stdio: 'ignore' })
}

export interface Background extends Service {
  /** The node's base directory: its log and pid file are there. */
  readonly base: string
  /** Words of `cloudburstd`. */
  readonly words: readonly string[]
}

/** Starts a daemon of a session of its own, which outlives this one. @returns its pid */
export async function startBackground({ daemon, user, base, words }: Background, restart: boolean): Promise<number> {
  const files = backgroundFiles(base)
  const running = pidIn(files.pid)
  if (running !== undefined && !restart) return running
  if (running !== undefined) await stopBackground(base)
  mkdirSync(base, { recursive: true, mode: 0o700 })
  const ids = user === undefined || process.getuid?.() !== 0 || user === 'root' ? undefined : idsOf(user)
  if ((statSync(files.log, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX) renameSync(files.log, `${files.log}.1`)
  const log = openSync(files.log, 'a', 0o600)
  const child = spawn(daemon.endsWith('.js') ? process.execPath : daemon, daemon.endsWith('.js') ? [daemon, ...words] : [...words], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
    ...(ids === undefined ? {} : { ...ids, env: { PATH: process.env['PATH'], ...serviceEnvironment } })
  })
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  child.unref()
  writeFileSync(files.pid, `${child.pid}\n`, { mode: 0o600 })
  if (ids !== undefined) for (const file of [files.log, files.pid]) chownSync(file, ids.uid, ids.gid)
  return child.pid as number
}

/** @returns whether one ran */
export async function stopBackground(base: string): Promise<boolean> {
  const { pid: file } = backgroundFiles(base)
  const pid = pidIn(file)
  if (pid === undefined) return false
  process.kill(pid, 'SIGTERM')
  for (const end = Date.now() + STOP_MS; pidIn(file) !== undefined; await pause(STOP_POLL_MS)) {
    if (Date.now() > end) process.kill(pid, 'SIGKILL')
  }
  rmSync(file, { force: true })
  return true
}

/** What is wrong, when a daemon in the background has ended: the last of its log. */
export function endedEarly(base: string): CloudburstError | undefined {
  const { pid, log } = backgroundFiles(base)
  return pidIn(pid) === undefined ? notStarted(readFileSync(log, 'utf8')) : undefined
}

/** @throws CloudburstError CB_DELIVERY_FAILED when visudo finds a fault in it */
export function sudoers(user: string, programs: Pick<Service, 'cli'>): string {
  const text = sudoersText(user, programs)
  if (!has('visudo')) return text
  const { status, stderr, stdout } = spawnSync('visudo', ['-c', '-f', '-'], { input: text, encoding: 'utf8' })
  if (status !== 0) throw new CloudburstError('CB_DELIVERY_FAILED', `visudo refuses it: ${stderr || stdout}`, { fix: 'visudo --help' })
  return text
}

function backgroundFiles(base: string): { readonly pid: string; readonly log: string } {
  return { pid: join(base, 'daemon.pid'), log: join(base, 'daemon.log') }
}

/** The pid in a file, if a daemon of ours has it: after a restart of the host somebody else may. */
function pidIn(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8').trim())
    process.kill(pid, 0)
    return isDaemon(pid) ? pid : undefined
  } catch {
    return undefined
  }
}

/** Of a process that is there. */
function isDaemon(pid: number): boolean {
  const command = `/proc/${pid}/cmdline`
  if (!existsSync(command)) return true
  const words = readFileSync(command, 'utf8')
  // In the middle of exec it has no words yet; once it is dead, none any more.
  return words === '' ? !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')) : words.includes('cloudburstd')
}

function idsOf(user: string): { readonly uid: number; readonly gid: number } {
  const id = (option: string): number => Number(execFileSync('id', [option, user], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

/** @returns whether it is another text now */
function put(path: string, text: string, mode: number): boolean {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return false
  writeFileSync(`${path}.new`, text, { mode })
  renameSync(`${path}.new`, path)
  return true
}

function run(program: string, words: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] })
  if (status !== 0)
    throw new CloudburstError('CB_DELIVERY_FAILED', `${program} ${words.join(' ')}: ${error?.message ?? stderr.trim()}`, {
      fix: `${program} ${words.join(' ')}`
    })
}

function journalOf(): string {
  return spawnSync('journalctl', ['-u', 'cloudburst.service', '-n', '20', '-o', 'cat', '--no-pager'], { encoding: 'utf8' }).stdout ?? ''
}

function notStarted(log: string): CloudburstError {
  const lines = log.trim().split('\n')
  const said = lines.findLast(line => line.startsWith('error:'))?.slice(7) ?? lines.at(-1) ?? ''
  return new CloudburstError('CB_DELIVERY_FAILED', `the daemon does not start: ${said}`, { fix: 'cloudburstd' })
}

function has(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0
}
