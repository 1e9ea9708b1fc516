import { realpathSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { CloudburstError } from '../../errors.ts'

const GROUP_OR_OTHERS_WRITE = 0o022
const GROUP_OR_OTHERS = 0o077
const STICKY = 0o1000

/**
 * Refuses a file that somebody else could change: itself or any directory on its real path is owned by another
 * user than root and us, or is writable by group or others. A sticky directory (`/tmp`) is fine: only owners replace files in it.
 * Source: StrictModes of sshd_config(5).
 *
 * @throws CloudburstError CB_FILE_UNSAFE with the chmod or chown to type
 */
export function checkOnlyOursToWrite(path: string): void {
  for (let at = realpathSync(path); ; at = dirname(at)) {
    const stats = statSync(at)
    checkOwner(at, stats)
    const sticky = stats.isDirectory() && (stats.mode & STICKY) !== 0
    if ((stats.mode & GROUP_OR_OTHERS_WRITE) !== 0 && !sticky) {
      throw unsafe(at, `others may write ${at} (mode ${mode(stats)}), so it cannot be trusted`, `chmod go-w ${at}`)
    }
    if (dirname(at) === at) return
  }
}

/**
 * Refuses a secret that somebody else could read.
 * @throws CloudburstError CB_FILE_UNSAFE with the chmod to type
 */
export function checkOnlyOursToRead(path: string): void {
  const stats = statSync(path)
  checkOwner(path, stats)
  if ((stats.mode & GROUP_OR_OTHERS) !== 0) {
    throw unsafe(path, `others may use ${path} (mode ${mode(stats)}), so it is no secret`, `chmod 600 ${path}`)
  }
}

function checkOwner(path: string, stats: Stats): void {
  const us = process.getuid?.()
  if (us === undefined || stats.uid === us || stats.uid === 0) return
  throw unsafe(path, `${path} belongs to user ${stats.uid}, neither to root nor to us`, `chown ${us} ${path}`)
}

function mode(stats: Stats): string {
  return (stats.mode & 0o7777).toString(8).padStart(4, '0')
}

/** The fix is in the message too: a log has no line for what to type next. */
function unsafe(file: string, message: string, fix: string): CloudburstError {
  return new CloudburstError('CB_FILE_UNSAFE', `${message}: ${fix}`, { file, fix })
}
