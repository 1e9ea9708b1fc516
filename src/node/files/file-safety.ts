import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { CloudburstError } from '../../errors.ts'
import { shellWord } from '../../goals/render/words.ts'

const GROUP_OR_OTHERS_WRITE = 0o022
const GROUP_OR_OTHERS = 0o077
const STICKY = 0o1000

/**
 * Refuses a file that somebody else could change: itself or any directory on its real path is owned by another
 * user than root and us, or is writable by group or others. A sticky directory (`/tmp`) is fine: only owners replace files in it.
 * A link in place of the file is refused; one on the way there (`/var` on macOS) only when somebody else could turn it elsewhere.
 * Source: StrictModes of sshd_config(5).
 *
 * @throws CloudburstError CB_FILE_UNSAFE with the chmod, chown or mv to type
 */
export function checkOnlyOursToWrite(path: string): void {
  checkLinks(path)
  for (let at = realpathSync(path); ; at = dirname(at)) {
    const stats = statSync(at)
    checkOwner(at, stats)
    checkWriters(at, stats)
    if (dirname(at) === at) return
  }
}

/**
 * Refuses a secret that somebody else could read, or that is reached through a link.
 * @throws CloudburstError CB_FILE_UNSAFE with the chmod to type
 */
export function checkOnlyOursToRead(path: string): void {
  checkNoLink(path)
  const stats = statSync(path)
  checkOwner(path, stats)
  if ((stats.mode & GROUP_OR_OTHERS) !== 0) {
    const fix = `chmod ${stats.isDirectory() ? '700' : '600'} ${shellWord(path)}`
    throw unsafe(path, `others may use ${path} (mode ${mode(stats)}), so it is no secret`, fix)
  }
}

/** Links on the way: each stands in a directory that only we may write, and is ours. The real path knows nothing of them. */
function checkLinks(path: string): void {
  checkNoLink(path)
  for (let at = dirname(resolve(path)); dirname(at) !== at; at = dirname(at)) {
    const stats = lstatSync(at)
    if (!stats.isSymbolicLink()) continue
    checkOwner(at, stats)
    const above = dirname(at)
    checkWriters(above, statSync(above))
  }
}

function checkNoLink(path: string): void {
  if (!lstatSync(path).isSymbolicLink()) return
  const target = resolve(dirname(path), readlinkSync(path))
  const words = `${shellWord(target)} ${shellWord(path)}`
  throw unsafe(path, `${path} is a link to ${target}, which could be turned elsewhere`, `rm ${shellWord(path)} && mv ${words}`)
}

function checkWriters(path: string, stats: Stats): void {
  const sticky = stats.isDirectory() && (stats.mode & STICKY) !== 0
  if ((stats.mode & GROUP_OR_OTHERS_WRITE) === 0 || sticky) return
  throw unsafe(path, `others may write ${path} (mode ${mode(stats)}), so it cannot be trusted`, `chmod go-w ${shellWord(path)}`)
}

function checkOwner(path: string, stats: Stats): void {
  const us = process.getuid?.()
  if (us === undefined || stats.uid === us || stats.uid === 0) return
  throw unsafe(path, `${path} belongs to user ${stats.uid}, neither to root nor to us`, `chown ${us} ${shellWord(path)}`)
}

function mode(stats: Stats): string {
  return (stats.mode & 0o7777).toString(8).padStart(4, '0')
}

/** The fix is in the message too: a log has no line for what to type next. */
function unsafe(file: string, message: string, fix: string): CloudburstError {
  return new CloudburstError('CB_FILE_UNSAFE', `${message}: ${fix}`, { file, fix })
}
