/** This machine as it is, in namespaces of its own: what is changed there is gone afterwards. Linux, root. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from 'mocha'
import { skip } from '../skip.ts'
import { type Said, start } from '../system/mesh/process.ts'
import { entry } from './cli.ts'

/** Nothing outside is written: the root is an overlay, /run is empty, and the network is a loopback of its own. */
const ENTER = `set -e
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mount -t tmpfs none "$1/root/run"
ip link set lo up 2>/dev/null || true
exec chroot "$1/root" /bin/bash -c "$2"`
const NAMESPACES = ['--mount', '--pid', '--fork', '--kill-child', '--net', '--uts']

/** Skips the suite where there can be no sandbox. */
export function needSandbox(context: Context): void {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) skip(context, 'a root of its own takes Linux and root')
  const { status, stderr } = spawnSync('unshare', [...NAMESPACES, 'true'], { encoding: 'utf8' })
  if (status !== 0) skip(context, `no namespaces here: ${stderr.trim()}`)
}

/** Runs a bash script there; `cloudburst` is the CLI, with a home of its own; both are in an empty directory. */
export async function inSandbox(script: string): Promise<Said> {
  const directory = mkdtempSync(join(tmpdir(), 'cb-sandbox-'))
  const cloudburst = `cd "$(mktemp -d)"; HERE=$PWD; cloudburst() { CLOUDBURST_HOME=$HERE/home NO_COLOR=1 '${process.execPath}' '${entry}' "$@"; }\n`
  try {
    return await start('unshare', [...NAMESPACES, '/bin/sh', '-c', ENTER, 'sh', directory, cloudburst + script], process.env).ended
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
