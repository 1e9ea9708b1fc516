/** The tree that every host of the lab starts from: a minimal Debian, made once and kept for the next run. */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const CACHE = '/var/cache/cloudburst-lab'
/** What the hosts of tests need besides a minimal Debian. */
const PACKAGES = [
  'openssh-server',
  'sudo',
  'iproute2',
  'iputils-ping',
  'procps',
  'systemd',
  'systemd-sysv',
  'dbus',
  'rpm',
  'dnf',
  'libpam-systemd'
]
const NOT_NEEDED = ['man', 'doc', 'locale'].map(folder => `--dpkgopt=path-exclude=/usr/share/${folder}/*`)

/** Programs of this machine that the lab is made with. */
const TOOLS = ['ip', 'unshare', 'nsenter', 'mmdebstrap', 'ssh-keygen', 'systemd-nspawn']

/** Why there can be no lab here, or undefined. */
export function whyNoLab(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'hosts of a lab are made by root on Linux'
  const missing = TOOLS.filter(tool => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0)
  return missing.length === 0 ? undefined : `the lab of hosts needs ${missing.join(', ')}`
}

/** The image's directory, made when it is missing: about a minute, and as long as packages take to arrive. */
export function image(): string {
  const name = createHash('sha256').update(PACKAGES.join(' ')).digest('hex').slice(0, 8)
  const path = join(CACHE, `debian-${name}`)
  if (existsSync(path)) return path
  mkdirSync(CACHE, { recursive: true })
  const beside = `${path}.${process.pid}`
  rmSync(beside, { recursive: true, force: true })
  execFileSync('mmdebstrap', ['--quiet', '--variant=minbase', `--include=${PACKAGES.join(',')}`, ...NOT_NEEDED, 'bookworm', beside], {
    stdio: ['ignore', 'ignore', 'inherit']
  })
  try {
    renameSync(beside, path)
  } catch (error) {
    // Another run was quicker.
    rmSync(beside, { recursive: true, force: true })
    if (!existsSync(path)) throw error
  }
  return path
}
