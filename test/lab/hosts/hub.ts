/** The node that delivers: a daemon on this machine that the hosts of a lab can reach, and the artefacts it has. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { PeerInfo } from '../../../src/node/control/contract.ts'
import { capabilities } from '../../../src/crypto/capability.ts'
import type { Book } from '../../../src/node/permissions/authority.ts'
import type { Lab } from './lab.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const READY_MS = 30_000
const AUTHORITY = 'lab'
/** Artefacts of other programs that are older, in milliseconds, are removed: another clone may be at its tests. */
const KEPT_MS = 60 * 60_000

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

/** Artefacts that tests have made of the programs as they are now, for the next test; those of older ones go. */
const ARTEFACTS = '/var/cache/cloudburst-lab/artefacts'

/** A folder with the artefact of dist/ as it is, called `version`. Not to be written to. */
export function packaged(version: string): string {
  const key = keyOfPrograms()
  const out = join(ARTEFACTS, key, version)
  if (existsSync(out)) return out
  for (const other of existsSync(ARTEFACTS) ? readdirSync(ARTEFACTS) : [])
    if (other !== key && statSync(join(ARTEFACTS, other)).mtimeMs < Date.now() - KEPT_MS)
      rmSync(join(ARTEFACTS, other), { recursive: true, force: true })
  const beside = `${out}.${process.pid}`
  mkdirSync(beside, { recursive: true })
  execFileSync(process.execPath, [join(root, 'scripts/package.mjs'), '--no-build', '--quick', '--as', version, '--out', beside], {
    stdio: 'pipe'
  })
  if (keyOfPrograms() !== key) {
    // Somebody has built anew meanwhile.
    rmSync(beside, { recursive: true, force: true })
    return packaged(version)
  }
  try {
    renameSync(beside, out)
  } catch {
    // Another run was quicker.
    rmSync(beside, { recursive: true, force: true })
  }
  return out
}

/** Of everything that is ours in an artefact: what it is of others is pinned by the lock file. */
function keyOfPrograms(): string {
  const hash = createHash('sha256')
  const under = (folder: string): string[] =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map(name => join(folder, name))
      .filter(name => statSync(join(root, name)).isFile())
      .toSorted()
  const built = (JSON.parse(readFileSync(join(root, 'dist/build.json'), 'utf8')) as { files: string[] }).files.map(name =>
    join('dist', name)
  )
  const files = [
    'dist/build.json',
    'package.json',
    'package-lock.json',
    'scripts/package.mjs',
    ...['scripts/package', 'programs', 'schema'].flatMap(under)
  ]
  for (const name of [...files, ...built]) hash.update(name).update(readFileSync(join(root, name)))
  return hash.digest('hex').slice(0, 16)
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

/** Lets the hub certify what it delivers: it has an authority, and believes in it. */
export async function withAuthority(hub: Hub): Promise<void> {
  const { stdout, stderr } = await hub.cloudburst('authority', 'init', AUTHORITY)
  const file = join(hub.home, 'permissions.xml')
  const ceiling = capabilities.filter(word => !['node:shell', 'permission:admin'].includes(word)).join(' ')
  const element = /<authority[^>]*/.exec(stdout)?.[0].replace(/\/$/, '')
  if (element === undefined) throw new Error(stderr)
  writeFileSync(file, readFileSync(file, 'utf8').replace('</permissions>', `  ${element} capability="${ceiling}"/>\n</permissions>`))
}

/** What its authority has said. */
export function bookOf(hub: Hub): Book {
  return JSON.parse(readFileSync(join(hub.home, 'authorities', `${AUTHORITY}.book.json`), 'utf8')) as Book
}
