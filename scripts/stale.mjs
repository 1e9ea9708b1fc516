/** Which files of earlier builds nobody needs any more. */
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { resolve, sep } from 'node:path'

/** So long files stay where processes cannot be looked at, or when it is not known which build was the last before one was started. */
const KEPT_MS = 24 * 60 * 60 * 1000
/** Clocks of files and processes may differ by so much. */
const GRACE_MS = 60_000
/** Ticks a second of times in /proc/PID/stat. Source: proc_pid_stat(5); sysconf(_SC_CLK_TCK) is 100 wherever Linux runs Node. */
const TICKS_A_SECOND = 100

/**
 * Files whose last build was before this time can go: no process that runs from `dist` was started from them.
 * A daemon loads parts of itself when they are first needed, days after its start perhaps.
 * @param builds when builds were complete, in epoch ms, oldest first, without the one that is just complete
 * @param now epoch ms
 */
export function staleBefore(dist, builds, now = Date.now()) {
  const started = startsFrom(dist)
  if (started === undefined) return now - KEPT_MS
  if (started.length === 0) return builds.at(-1) ?? now - GRACE_MS
  const oldest = Math.min(...started) - GRACE_MS
  // the build that the oldest of them was started from
  return builds.findLast(at => at <= oldest) ?? oldest - KEPT_MS
}

/** When the processes that run a file of `dist` were started, in epoch ms. Undefined where there is no /proc. */
export function startsFrom(dist) {
  if (!existsSync('/proc/stat')) return undefined
  const bootMs = 1000 * Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))[1])
  const below = realpathSync(dist) + sep
  const starts = []
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        .split('\0')
        .filter(word => /[/\\]|\.js$/.test(word))
      const cwd = readlinkSync(`/proc/${pid}/cwd`)
      if (!words.some(word => isBelow(resolve(cwd, word), below))) continue
      // the name in brackets may hold blanks
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ')
      starts.push(bootMs + (1000 * Number(fields[19])) / TICKS_A_SECOND)
    } catch {
      // it is gone, or somebody else's
    }
  }
  return starts
}

/** Commands are often links to files in dist/. */
function isBelow(path, directory) {
  try {
    return realpathSync(path).startsWith(directory)
  } catch {
    return false
  }
}
