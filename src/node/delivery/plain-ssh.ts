/** A host by the user's own `ssh`, one process a command: for what ssh2 cannot do, such as certificates and ProxyCommand. */
import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import type { TargetOptions } from './target.ts'
import { failed, quoted, type Remote, SAID_CHARACTERS_MAX, type Said, type Target } from './remote.ts'
import { CloudburstError } from '../../errors.ts'

/**
 * Host keys and logins are ssh's own affair here: it asks nobody, and refuses what it does not know.
 * @param command what to call instead of `ssh`, with leading words
 * @throws CloudburstError CB_HOST_UNREACHABLE with what ssh said
 */
export async function connectPlain(target: Target, options: TargetOptions, command = 'ssh'): Promise<Remote> {
  const words = wordsOf(target, options)
  const [program = 'ssh', ...before] = command.split(' ').filter(word => word !== '')
  const execute = (line: string, input?: Readable | string): Promise<Said> => run(program, [...before, ...words, line], input)
  const said = await execute('true')
  if (said.code !== 0) throw phrased(target.name, said.stderr.trim())
  return {
    name: target.name,
    run: execute,
    async put(local, remote, onBytes) {
      let sent = 0
      const source = createReadStream(local)
      source.on('data', chunk => onBytes((sent += chunk.length)))
      const { code, stderr } = await execute(`umask 077; cat >${quoted(remote)}`, source)
      if (code !== 0) throw failed(target.name, `the copy stopped: ${stderr.trim()}`, 'cloudburst deliver')
    },
    close: () => {}
  }
}

function wordsOf(target: Target, { identity, port, knownHosts, config }: TargetOptions): string[] {
  return [
    ...(config === undefined ? [] : ['-F', config]),
    ...(identity === undefined ? [] : ['-i', identity]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(knownHosts === undefined ? [] : ['-o', `UserKnownHostsFile=${knownHosts}`]),
    ...['-o', 'BatchMode=yes', '-o', 'ServerAliveInterval=7', '-T', '--', target.name]
  ]
}

function run(program: string, words: readonly string[], input: Readable | string | undefined): Promise<Said> {
  return new Promise(resolve => {
    const child = spawn(program, words, { stdio: 'pipe' })
    const said = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        if (said[stream].length < SAID_CHARACTERS_MAX) said[stream] += text
      })
    }
    child.on('error', error => resolve({ code: 255, stdout: '', stderr: error.message }))
    child.on('close', code => resolve({ code: code ?? 255, ...said }))
    child.stdin.on('error', () => {})
    if (input === undefined || typeof input === 'string') child.stdin.end(input ?? '')
    else input.pipe(child.stdin)
  })
}

function phrased(host: string, said: string): CloudburstError {
  const last = said.split('\n').at(-1) ?? ''
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED/.test(said))
    return new CloudburstError('CB_HOST_CHANGED', `${host}: its key has changed`, { host })
  if (/Host key verification failed/.test(said))
    return new CloudburstError('CB_HOST_UNKNOWN', `${host}: ssh does not know its key: ${last}`, { host })
  if (/Permission denied/.test(said)) return new CloudburstError('CB_HOST_DENIED', `${host}: ${last}`, { host, fix: `ssh ${host} true` })
  return new CloudburstError('CB_HOST_UNREACHABLE', `${host}: ${last || 'ssh ended without a word'}`, { host })
}
