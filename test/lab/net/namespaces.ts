/**
 * Hosts of a network that is nobody else's: one network namespace for the switch and one for each host, each held by a process
 * of ours and gone with it. Nothing is mounted, named or left behind. Needs root, iproute2, nftables and nsenter.
 */
import { type ChildProcessByStdio, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

/** A network of hosts 1 … n, `10.213.0.<number>`. */
export interface Network {
  readonly address: (number: number) => string
  /** The command that runs another one on a host. */
  readonly within: (number: number) => readonly string[]
  /** Nothing from `from` reaches `to`, until {@link heal}. */
  cut(from: number, to: number): void
  /** No host of one side reaches one of the other, in either direction. */
  split(sides: readonly [readonly number[], readonly number[]]): void
  /** The line of a host is pulled, and plugged in again. */
  plug(number: number, inside: boolean): void
  /** That many of a hundred packets that come in at a host are lost. */
  lose(number: number, percent: number): void
  /** Every packet is so long under way, and up to `jitterMs` longer: on a network with a slow switch only. */
  delay(delayMs: number, jitterMs?: number): void
  heal(): void
  /** Ends the namespaces with all that runs in them. */
  close(): void
}

const NETWORK = '10.213.0'
const SLOW_SWITCH = fileURLToPath(new URL('./slow-switch.py', import.meta.url))

/** Why there can be no network with a slow switch here; undefined when there can. */
export function unableSlowly(): string | undefined {
  if (spawnSync('python3', ['--version']).status !== 0) return 'the switch in user space needs python3'
  return existsSync('/dev/net/tun') ? unable() : 'the switch in user space needs /dev/net/tun'
}

/** Why there can be no such network here; undefined when there can. */
export function unable(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are of Linux'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  const missing = ['ip', 'nft', 'unshare', 'nsenter'].filter(program => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0)
  if (missing.length > 0) return `${missing.join(', ')} is not installed (iproute2, nftables, util-linux)`
  return spawnSync('unshare', ['--net', 'true']).status === 0 ? undefined : 'no network namespace can be made here'
}

/**
 * Makes the network; its hosts reach one another and nobody else.
 * @param slow packets go through a switch in user space, which can delay them; a kernel without netem cannot
 */
export async function openNetwork(hosts: number, slow = false): Promise<Network> {
  const keepers: number[] = []
  let between: ChildProcessByStdio<Writable, Readable, null> | undefined
  const keeper = async (): Promise<number> => {
    const child = spawn('unshare', ['--net', 'sh', '-c', 'echo up; exec sleep 100000'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true
    })
    child.unref()
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve())
      child.once('exit', code => reject(new Error(`unshare ended with ${code}`)))
    })
    child.stdout.destroy()
    keepers.push(child.pid!)
    return child.pid!
  }
  const run = (pid: number, ...words: readonly string[]): void => void execFileSync('nsenter', [`--net=/proc/${pid}/ns/net`, ...words])
  const plugIn = (hub: number, pid: number, number: number): void => {
    run(hub, 'ip', 'link', 'add', `v${number}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid))
    run(hub, 'ip', 'link', 'set', `v${number}`, 'master', 'hub', 'up')
    run(pid, 'ip', 'addr', 'add', `${address(number)}/24`, 'dev', 'eth0')
    run(pid, 'ip', 'link', 'set', 'eth0', 'up')
    run(pid, 'ip', 'route', 'add', 'default', 'dev', 'eth0')
  }
  const close = (): void => {
    between?.kill('SIGKILL')
    for (const pid of keepers.splice(0)) process.kill(pid, 'SIGKILL')
  }
  const address = (number: number): string => `${NETWORK}.${number}`
  try {
    const hub = await keeper()
    run(hub, 'ip', 'link', 'add', 'hub', 'type', 'bridge')
    run(hub, 'ip', 'link', 'set', 'hub', 'up')
    const pids: number[] = []
    for (let number = 1; number <= hosts; number++) {
      const pid = await keeper()
      pids.push(pid)
      run(pid, 'ip', 'link', 'set', 'lo', 'up')
      if (!slow) plugIn(hub, pid, number)
      run(pid, 'nft', 'add table inet lab; add chain inet lab in { type filter hook input priority 0; }')
    }
    if (slow) {
      between = spawn('python3', [SLOW_SWITCH, NETWORK, ...pids.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] })
      const ended = once(between, 'exit').then(() => Promise.reject(new Error('the slow switch ended')))
      ended.catch(() => undefined)
      await Promise.race([once(between.stdout, 'data'), ended])
    }
    const cut = (from: number, to: number): void => run(pids[to - 1]!, 'nft', `add rule inet lab in ip saddr ${address(from)} drop`)
    const plug = (number: number, inside: boolean): void =>
      slow
        ? run(pids[number - 1]!, 'ip', 'link', 'set', 'eth0', inside ? 'up' : 'down')
        : run(hub, 'ip', 'link', 'set', `v${number}`, inside ? 'up' : 'down')
    const delay: Network['delay'] = (delayMs, jitterMs = 0) => {
      if (between === undefined) throw new Error('only a slow switch delays packets')
      between.stdin.write(`${JSON.stringify({ delayMs, jitterMs })}\n`)
    }
    return {
      address,
      within: number => ['nsenter', `--net=/proc/${pids[number - 1]}/ns/net`],
      cut,
      split: ([left, right]) => {
        for (const a of left) for (const b of right) for (const [from, to] of [[a, b] as const, [b, a] as const]) cut(from, to)
      },
      plug,
      delay,
      lose: (number, percent) =>
        run(pids[number - 1]!, 'nft', `add rule inet lab in iifname "eth0" numgen random mod 100 < ${percent} drop`),
      heal: () => {
        for (const [at, pid] of pids.entries()) {
          run(pid, 'nft', 'flush chain inet lab in')
          plug(at + 1, true)
        }
      },
      close
    }
  } catch (error) {
    close()
    throw error
  }
}
