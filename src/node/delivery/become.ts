/** Root on a host: as who one is, by sudo, or by sudo with a password that goes to its standard input and nowhere else. */
import { PassThrough, type Readable } from 'node:stream'
import { CloudburstError } from '../../errors.ts'
import { quoted, type Remote, type Said, scripted } from './remote.ts'
import type { HostFacts } from './probe-host.ts'

export interface Hands {
  /** A script with its words. */
  run(script: string, words: readonly string[], input?: Readable | string): Promise<Said>
  /** Whether what they do, root does. */
  readonly root: boolean
}

/**
 * Hands on a host that can do what is asked.
 * @param password asked for only when sudo does
 * @throws CloudburstError CB_HOST_DENIED
 */
export async function handsOn(
  remote: Remote,
  { uid, sudo }: Pick<HostFacts, 'uid' | 'sudo'>,
  asked: boolean,
  password: () => Promise<string | undefined>
): Promise<Hands> {
  const plain = (root: boolean): Hands => ({ root, run: (script, words, input) => remote.run(scripted(script, words), input) })
  if (uid === 0 || !asked) return plain(uid === 0)
  if (sudo === 'none') throw denied(remote.name, 'it has no sudo', 'cloudburst deliver root@HOST')
  if (sudo === 'free') return { root: true, run: (script, words, input) => remote.run(`sudo -n ${scripted(script, words)}`, input) }
  const secret = await password()
  if (secret === undefined)
    throw denied(remote.name, 'sudo asks for a password there', 'cloudburst deliver --sudo --become-password-file FILE')
  // Alone first: a wrong one would make sudo read on in what comes after it.
  const tried = await remote.run(withPassword('true'), `${secret}\n`)
  if (tried.code !== 0) {
    const none = /not in the sudoers|may not run|not allowed/i.test(tried.stderr)
    throw denied(
      remote.name,
      none ? 'this user has no right to sudo there' : 'sudo refuses the password',
      none ? 'cloudburst deliver OTHER-USER@HOST' : 'cloudburst deliver --sudo --become-password-file FILE'
    )
  }
  return { root: true, run: (script, words, input) => remote.run(withPassword(scripted(script, words)), after(`${secret}\n`, input)) }
}

/** `-k`: without it, sudo would not read the password when it remembers one, and the command would. */
function withPassword(command: string): string {
  return `sudo -k -S -p ${quoted('')} ${command}`
}

function after(first: string, input: Readable | string | undefined): Readable | string {
  if (input === undefined || typeof input === 'string') return first + (input ?? '')
  const both = new PassThrough()
  both.write(first)
  input.on('error', error => both.destroy(error))
  return input.pipe(both)
}

function denied(host: string, message: string, fix: string): CloudburstError {
  return new CloudburstError('CB_HOST_DENIED', `${host}: ${message}`, { host, fix })
}
