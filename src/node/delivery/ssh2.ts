/** A host by ssh2: one connection, checked host key, agent, keys and passwords, hosts on the way. */
import { existsSync, readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Duplex, Readable } from 'node:stream'
import ssh2, { type AnyAuthMethod, type Client, type ConnectConfig, type SFTPWrapper } from 'ssh2'
import { CloudburstError } from '../../errors.ts'
import { fingerprint, judge, knownTypes, remember } from './known-hosts.ts'
import { type Answers, failed, quoted, type Remote, SAID_CHARACTERS_MAX, type Said, type Target } from './remote.ts'

/** How long a host may take to answer, in milliseconds. */
const CONNECT_MS = 20_000
/** A connection that says nothing is asked so often, and given up after as many unanswered, so a cut cable is found within half a minute. */
const ALIVE_INTERVAL_MS = 7_000
const ALIVE_COUNT_MAX = 4
/** Bytes of a file on the way at once. */
const PUT_CHUNK_BYTES = 32 * 1024 * 8
/** The end of a file that was cut off may have holes, where chunks were on the way: so much of it, in bytes, is sent again. */
const REPEATED_BYTES = 4 * 1024 * 1024

/**
 * @throws CloudburstError CB_HOST_UNKNOWN, CB_HOST_CHANGED for its key; CB_HOST_DENIED when it lets nobody in;
 * CB_HOST_UNREACHABLE when nothing answers
 */
export async function connect(target: Target, answers: Answers, env: NodeJS.ProcessEnv = process.env): Promise<Remote> {
  const clients: Client[] = []
  const close = (): void => {
    for (const client of clients.toReversed()) client.end()
  }
  try {
    let sock: Duplex | undefined
    for (const [at, hop] of [...target.jumps, target].entries()) {
      const client = await open(hop, answers, env, sock)
      clients.push(client)
      const next = [...target.jumps, target][at + 1]
      if (next !== undefined) sock = await forward(client, next)
    }
  } catch (error) {
    close()
    throw error
  }
  return remoteOf(target.name, clients.at(-1) as Client, close)
}

async function open(target: Target, answers: Answers, env: NodeJS.ProcessEnv, sock: Duplex | undefined): Promise<Client> {
  const client = new ssh2.Client()
  const { name, host, user, port, knownHosts } = target
  let refused: CloudburstError | undefined
  const types = knownTypes(knownHosts, target.alias ?? host, port)
  const config: ConnectConfig = {
    host,
    port,
    username: user,
    readyTimeout: CONNECT_MS,
    keepaliveInterval: ALIVE_INTERVAL_MS,
    keepaliveCountMax: ALIVE_COUNT_MAX,
    tryKeyboard: true,
    ...(sock === undefined ? {} : { sock: sock as never }),
    ...(types.length === 0 ? {} : { algorithms: { serverHostKey: hostKeyAlgorithms(types) as never } }),
    hostVerifier: (key: Buffer, accept: (valid: boolean) => void) => {
      void checkHostKey(target, key, answers).then(
        () => accept(true),
        (error: CloudburstError) => {
          refused = error
          accept(false)
        }
      )
    },
    authHandler: authentication(target, answers, env, error => {
      refused = error
    }) as never
  }
  return await new Promise((resolve, reject) => {
    client.on('keyboard-interactive', (_name, _instructions, _language, prompts, finish) => {
      void answers.password(name).then(password => finish(prompts.map(() => password ?? '')))
    })
    client.once('ready', () => resolve(client))
    client.once('error', error => reject(refused ?? phrased(target, error)))
    client.once('close', () =>
      reject(refused ?? failed(name, 'the connection was closed before anybody was let in', `ssh ${quoted(name)} true`))
    )
    client.connect(config)
  })
}

/** Keys of RSA are asked for by the hashes that are safe. */
function hostKeyAlgorithms(types: readonly string[]): string[] {
  return types.flatMap(type => (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type]))
}

async function checkHostKey(target: Target, key: Buffer, answers: Answers): Promise<void> {
  const { name, host, port, knownHosts } = target
  const known = target.alias ?? host
  const print = fingerprint(key)
  const verdict = judge(knownHosts, known, port, key)
  if (verdict === 'known') return
  if (verdict === 'unknown') {
    if (!(await answers.acceptHostKey(name, print)))
      throw new CloudburstError('CB_HOST_UNKNOWN', `${name}: nobody has said yet that its key ${print} is the right one`, {
        host: name,
        fingerprint: print
      })
    const [file] = knownHosts
    if (file !== undefined) remember(file, known, port, key)
    return
  }
  const where = knownHosts.find(file => existsSync(file)) ?? ''
  const what =
    verdict === 'revoked' ? `its key ${print} is revoked` : `its key is ${print}, and another one is known: somebody may be in between`
  throw new CloudburstError('CB_HOST_CHANGED', `${name}: ${what}`, { host: port === 22 ? known : `[${known}]:${port}`, file: where })
}

/**
 * Agent, then keys, then keys behind a passphrase, then a password, each once: a person is asked only for what the host would take.
 * @param refuse told why there is no point in trying on
 */
function authentication(
  { name, user, identities }: Target,
  answers: Answers,
  env: NodeJS.ProcessEnv,
  refuse: (error: CloudburstError) => void
) {
  // The first tells what the host would take.
  const ways: AnyAuthMethod[] = [{ type: 'none', username: user }]
  const agent = env['SSH_AUTH_SOCK']
  if (agent !== undefined && agent !== '') ways.push({ type: 'agent', username: user, agent })
  const locked: string[] = []
  for (const file of identities) {
    const text = readFileSync(file)
    const key = ssh2.utils.parseKey(text)
    if (!(key instanceof Error)) ways.push({ type: 'publickey', username: user, key: text })
    else if (/encrypted/i.test(key.message)) locked.push(file)
  }
  const unlocked = async (file: string): Promise<AnyAuthMethod | undefined> => {
    const passphrase = await answers.passphrase(file)
    if (passphrase === undefined) return undefined
    const text = readFileSync(file)
    if (!(ssh2.utils.parseKey(text, passphrase) instanceof Error)) return { type: 'publickey', username: user, key: text, passphrase }
    throw new CloudburstError('CB_HOST_DENIED', `${name}: the passphrase does not open ${file}`, {
      host: name,
      fix: `ssh-keygen -y -f ${quoted(file)}`
    })
  }
  let asked = false
  const later = async (left: readonly string[]): Promise<AnyAuthMethod | undefined> => {
    while (left.includes('publickey') && locked.length > 0) {
      const way = await unlocked(locked.shift() as string)
      if (way !== undefined) return way
    }
    const kind = left.includes('password') ? 'password' : left.includes('keyboard-interactive') ? 'keyboard-interactive' : undefined
    if (asked || kind === undefined) return undefined
    asked = true
    const password = await answers.password(name)
    if (password === undefined) return undefined
    if (kind === 'password') return { type: 'password', username: user, password }
    return { type: 'keyboard-interactive', username: user, prompt: (_n, _i, _l, prompts, finish) => finish(prompts.map(() => password)) }
  }
  return (left: string[] | null, _partial: boolean, next: (way: AnyAuthMethod | false) => void): void => {
    const way = ways.shift()
    if (way !== undefined) {
      next(way)
      return
    }
    void later(left ?? []).then(
      found => next(found ?? false),
      (error: CloudburstError) => {
        refuse(error)
        next(false)
      }
    )
  }
}

function phrased({ name, host, port, user }: Target, error: Error & { code?: string; level?: string }): CloudburstError {
  if (error.level === 'client-authentication')
    return new CloudburstError(
      'CB_HOST_DENIED',
      `${name}: none of the keys and passwords lets ${user} in`,
      { host: name, fix: `cloudburst deliver ${name} --identity KEY` },
      error
    )
  const causes: Readonly<Record<string, string>> = {
    ENOTFOUND: `the name ${host} is not known`,
    EAI_AGAIN: `the name ${host} is not known`,
    ECONNREFUSED: `nothing listens on port ${port}`,
    EHOSTUNREACH: 'there is no way to it',
    ENETUNREACH: 'there is no way to it',
    ETIMEDOUT: 'it does not answer'
  }
  const why =
    causes[error.code ?? ''] ?? (error.level === 'client-timeout' ? `it does not answer within ${CONNECT_MS / 1_000} s` : error.message)
  return new CloudburstError('CB_HOST_UNREACHABLE', `${name}: ${why}`, { host: name }, error)
}

function forward(client: Client, { host, port }: Target): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    client.forwardOut('127.0.0.1', 0, host, port, (error, stream) => (error === undefined ? resolve(stream) : reject(error)))
  })
}

function remoteOf(name: string, client: Client, close: () => void): Remote {
  // A connection that breaks later is told by what waits on it.
  client.on('error', () => {})
  return {
    name,
    run: (command, input) => execute(client, command, input),
    put: async (local, remote, onBytes) => {
      try {
        await put(name, client, local, remote, onBytes)
      } catch (error) {
        // It throws plain errors when the connection is gone already.
        throw error instanceof CloudburstError ? error : stopped(name, error instanceof Error ? error : undefined)
      }
    },
    close
  }
}

function execute(client: Client, command: string, input: Readable | string | undefined): Promise<Said> {
  return new Promise(resolve => {
    const said = { stdout: '', stderr: '' }
    let code = 255
    const done = (): void => {
      client.off('close', done)
      resolve({ code, ...said })
    }
    try {
      client.exec(command, (error, channel) => {
        if (error !== undefined) {
          said.stderr = error.message
          return done()
        }
        const keep = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
          if (said[stream].length < SAID_CHARACTERS_MAX) said[stream] += chunk.toString('utf8')
        }
        channel.on('data', keep('stdout'))
        channel.stderr.on('data', keep('stderr'))
        channel.on('exit', (status: number | null) => {
          code = status ?? 255
        })
        channel.on('close', done)
        channel.on('error', () => {})
        client.once('close', done)
        if (input === undefined || typeof input === 'string') channel.end(input ?? '')
        else input.pipe(channel)
      })
    } catch (error) {
      said.stderr = error instanceof Error ? error.message : String(error)
      done()
    }
  })
}

async function put(name: string, client: Client, local: string, remote: string, onBytes: (sent: number) => void): Promise<void> {
  const sftp = await new Promise<SFTPWrapper>((resolve, reject) => {
    client.sftp((error, opened) => {
      if (error === undefined) resolve(opened)
      else reject(failed(name, 'its sshd has no sftp subsystem, which scp needs', 'cloudburst deliver --via ssh', error))
    })
  })
  const { size } = await stat(local)
  const there = await new Promise<number>(resolve => {
    sftp.stat(remote, (error, stats) => resolve(error === undefined && stats.size <= size ? stats.size : 0))
  })
  if (there === 0) await whole(name, client, sftp, { local, remote }, onBytes)
  else if (there < size) await append(name, client, sftp, { local, remote, there: Math.max(0, there - REPEATED_BYTES) }, onBytes)
  sftp.end()
}

/** With many chunks on the way at once: several times as fast as one after the other. */
async function whole(
  name: string,
  client: Client,
  sftp: SFTPWrapper,
  { local, remote }: { readonly local: string; readonly remote: string },
  onBytes: (sent: number) => void
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const end = (error?: Error | null): void => (error ? reject(stopped(name, error)) : resolve())
    sftp.fastPut(local, remote, { mode: 0o600, step: sent => onBytes(sent) }, end)
    client.once('close', () => reject(stopped(name)))
  })
}

function stopped(name: string, error?: Error): CloudburstError {
  return failed(
    name,
    `the copy stopped: ${error?.message ?? 'the connection ended'}`,
    `cloudburst deliver ${quoted(name)} --via scp`,
    error
  )
}

async function append(
  name: string,
  client: Client,
  sftp: SFTPWrapper,
  { local, remote, there }: { readonly local: string; readonly remote: string; readonly there: number },
  onBytes: (sent: number) => void
): Promise<void> {
  const { createReadStream } = await import('node:fs')
  await new Promise<void>((resolve, reject) => {
    const fail = (error?: Error): void => reject(stopped(name, error))
    const source = createReadStream(local, { start: there, highWaterMark: PUT_CHUNK_BYTES })
    const sink = sftp.createWriteStream(remote, { flags: there > 0 ? 'r+' : 'w', start: there, mode: 0o600 })
    let sent = there
    source.on('data', chunk => onBytes((sent += chunk.length)))
    source.on('error', fail)
    sink.on('error', fail)
    sink.on('close', () => resolve())
    client.once('close', () => fail())
    source.pipe(sink)
  })
}
