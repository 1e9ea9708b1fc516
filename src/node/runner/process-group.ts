/** Process groups: a command and everything it started that has not left on purpose. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

/** Between the request to end and the end, in milliseconds: enough to write a file and remove a lock. */
export const KILL_AFTER_MS = 5_000
/** How often it is looked whether a group is gone, in milliseconds; nothing tells us about processes that are not our children. */
const LOOK_EVERY_MS = 20
/** A process that even SIGKILL does not end hangs in the kernel; then we stop waiting, in milliseconds. */
const KILLED_WAIT_MS = 2_000

/** Whether any process of the group `leader` still runs; one that is dead and only waits for its parent to look does not. */
export function groupAlive(leader: number): boolean {
  try {
    process.kill(-leader, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return process.platform !== 'linux' || readdirSync('/proc').some(name => /^\d+$/.test(name) && runsInGroup(name, leader))
}

/** Source: proc(5), stat: the name may hold anything, so what counts stands behind its last bracket. */
function runsInGroup(pid: string, leader: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return Number(group) === leader && state !== 'Z' && state !== 'X'
  } catch {
    return false
  }
}

/** Sends SIGTERM to the group, SIGKILL after {@link KILL_AFTER_MS} to what is left of it; resolves when it is gone. */
export async function endGroup(leader: number): Promise<void> {
  signalGroup(leader, 'SIGTERM')
  if (await goneWithin(leader, KILL_AFTER_MS)) return
  signalGroup(leader, 'SIGKILL')
  await goneWithin(leader, KILLED_WAIT_MS)
}

/** Whether the process `pid` is the shell of the step in `directory`, not another one that got the number later. */
export function isShellOf(directory: string, pid: number): boolean {
  if (process.platform === 'linux') {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(directory)
    } catch {
      return false
    }
  }
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function goneWithin(leader: number, ms: number): Promise<boolean> {
  const deadline = performance.now() + ms
  while (groupAlive(leader)) {
    if (performance.now() > deadline) return false
    await wait(LOOK_EVERY_MS)
  }
  return true
}

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal)
  } catch {
    // Gone already, which is what was wanted.
  }
}
