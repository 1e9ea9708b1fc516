/** The node that delivers: a daemon on this machine that the hosts of a lab can reach, and the artefacts it has. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { PeerInfo } from '../../../src/node/control/contract.ts'
import type { Lab } from './lab.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const READY_MS = 30_000

export interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Hub {
  readonly home: string
  /** The words of `deliver` for the hosts of the lab. */
  readonly reaching: readonly string[]
  cloudburst(...words: readonly string[]): Promise<Said>
  /** Runs `deliver` with what it takes to reach the lab's hosts. */
  deliver(...words: readonly string[]): Promise<Said>
  /** A command that reaches the lab's hosts, or with `false` any other, and its process. */
  begin(
    words: readonly string[],
    env?: NodeJS.ProcessEnv,
    reaching?: boolean
  ): { readonly child: ChildProcess; readonly said: Promise<Said> }
  peers(): Promise<readonly PeerInfo[]>
  close(): Promise<void>
}

/** A folder with the artefact of dist/ as it is, called `version`. */
export function packaged(directory: string, version: string): string {
  const out = join(directory, version)
  mkdirSync(out, { recursive: true })
  execFileSync(process.execPath, [join(root, 'scripts/package.mjs'), '--no-build', '--quick', '--as', version, '--out', out], {
    stdio: 'pipe'
  })
  return out
}

/** The artefact of a folder with another script for its daemon, whole and rightly named. @returns its folder */
export function broken(folder: string, out: string, daemon: string): string {
  const script = `set -e; mkdir -p $2; cd $2; tar -xzf $1/*.tar.gz; set -- "$3" *-*; printf '#!/bin/sh\\n%s\\n' "$1" >$2/bin/cloudburstd; cd $2
    sed -i "s|^[0-9a-f]*  bin/cloudburstd$|$(sha256sum bin/cloudburstd)|" MANIFEST
    id=0.9.9-$(sha256sum MANIFEST | cut -c1-12); cd ..; mv $2 $id
    tar -cf - $id/MANIFEST $id/RELEASE.json $id | gzip -1 >cloudburst-0.9.9-linux-x64.tar.gz; rm -r $id`
  execFileSync('sh', ['-c', script, 'sh', folder, out, daemon])
  return out
}

/** Resolves when its daemon answers. */
export async function openHub(lab: Lab): Promise<Hub> {
  const home = join(lab.directory, 'hub')
  const reaching = ['--identity', lab.key, '--known-hosts', lab.knownHosts, '--ssh-config', '/dev/null']
  const begin = (words: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const environment = { ...process.env, SSH_AUTH_SOCK: '', ...env }
    const child = spawn(process.execPath, [join(root, 'dist/cloudburst.js'), ...words], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe']
    })
    return { child, said: saidBy(child) }
  }
  const cloudburst = (...words: readonly string[]): Promise<Said> => begin([...words, '--home', home]).said
  await cloudburst('init', '--name', 'hub', '--listen', `/ip4/${lab.address}/tcp/4790`, '--no-mdns')
  const log = openSync(join(lab.directory, 'hub.log'), 'a')
  const daemon = spawn(process.execPath, [join(root, 'dist/cloudburstd.js'), '--home', home], { stdio: ['ignore', log, log] })
  for (const end = Date.now() + READY_MS; (await cloudburst('hello')).code !== 0; await pause(50)) {
    if (Date.now() > end) throw new Error('the daemon that delivers does not answer')
  }
  return {
    home,
    reaching,
    cloudburst,
    begin: (words, env, reached = true) => begin([...words, ...(reached ? reaching : []), '--home', home], env),
    deliver: (...words) => cloudburst('deliver', ...words, ...reaching),
    peers: async () => JSON.parse((await cloudburst('peers', '-o', 'json')).stdout) as PeerInfo[],
    async close() {
      const exit = once(daemon, 'exit')
      daemon.kill('SIGTERM')
      await exit
      // Its runner is of a session of its own.
      const pid = Number(safely(() => readFileSync(join(home, 'state/runner/pid'), 'utf8')))
      if (pid > 0) safely(() => process.kill(pid))
    }
  }
}

async function saidBy(child: ChildProcess): Promise<Said> {
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) child[stream]?.setEncoding('utf8').on('data', text => (said[stream] += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? -1, ...said }
}

function safely<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}
