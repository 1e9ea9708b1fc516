/** What `deliver` and `undeliver` need of a person: how hosts are reached, whose keys they have, passwords. */
import { Readable } from 'node:stream'
import { CloudburstError } from '../errors.ts'
import type { Invocation } from './arguments.ts'
import { daemonless } from './daemonless.ts'
import { canAsk, openPrompt } from './prompt.ts'

/** Hosts named, at least one. @throws CloudburstError CB_USAGE */
export function hostsOf({ command, words }: Invocation): readonly string[] {
  if (words.length === 0) throw new CloudburstError('CB_USAGE', `${command} needs USER@HOST`, { command })
  return [...new Set(words)]
}

/** Opens connections as the options say; questions of several hosts come one after the other. */
export async function reaching(invocation: Invocation) {
  const { options, io } = invocation
  const { delivery } = await daemonless()
  const { reach, secretIn } = await delivery()
  const asking = questions(invocation)
  const passwordFile = options['password-file']
  const becomeFile = options['become-password-file']
  const passphraseFile = options['passphrase-file']
  const answers = {
    acceptHostKey: async (host: string, fingerprint: string) => {
      if (options['host-key'] !== undefined) return options['host-key'] === fingerprint
      return /^y(es)?$/i.test((await asking.line(`${host} has the key ${fingerprint}. Is it the right one? [y/N] `)) ?? '')
    },
    password: async (host: string) => (passwordFile === undefined ? await asking.secret(`Password of ${host}: `) : secretIn(passwordFile)),
    passphrase: async (file: string) =>
      passphraseFile === undefined ? await asking.secret(`Passphrase of ${file}: `, file) : secretIn(passphraseFile)
  }
  return {
    connect: async (host: string) =>
      await reach(
        host,
        {
          ...(options.identity === undefined ? {} : { identity: options.identity }),
          ...(options.port === undefined ? {} : { port: portOf(options.port) }),
          ...(options['known-hosts'] === undefined ? {} : { knownHosts: options['known-hosts'] }),
          ...(options['ssh-config'] === undefined ? {} : { config: options['ssh-config'] }),
          ...(options['ssh-command'] === undefined ? {} : { sshCommand: options['ssh-command'] }),
          onPlain: word => void io.stderr.write(`note: ${word}\n`)
        },
        answers
      ),
    becomePassword: (host: string) => async () =>
      becomeFile === undefined ? await asking.secret(`sudo password of ${host}: `) : secretIn(becomeFile)
  }
}

function portOf(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new CloudburstError('CB_USAGE', `--port takes a port, not ${text}`)
  return port
}

/** One question at a time; the same secret is asked for once. Undefined where nobody can be asked. */
function questions({ io, command }: Invocation) {
  let last: Promise<unknown> = Promise.resolve()
  const secrets = new Map<string, string>()
  const inTurn = <T>(ask: () => Promise<T>): Promise<T> => {
    const mine = last.then(ask, ask)
    last = mine.catch(() => undefined)
    return mine
  }
  const line = (question: string): Promise<string | undefined> =>
    inTurn(async () => {
      if (!canAsk(io)) return undefined
      const prompt = openPrompt(io, command, 'nobody can be asked')
      try {
        return await prompt.ask(question)
      } finally {
        prompt.close()
      }
    })
  return {
    line,
    /** @param of what it opens: a person has one password for all hosts, and one passphrase for each key */
    secret: (question: string, of = '') =>
      inTurn(async () => {
        const said = secrets.get(of) ?? (canAsk(io) ? await hidden(io, question) : undefined)
        if (said !== undefined) secrets.set(of, said)
        return said
      })
  }
}

/** A line that the terminal does not show. */
async function hidden({ stdin, stdout }: Invocation['io'], question: string): Promise<string | undefined> {
  const terminal = stdin as unknown as NodeJS.ReadStream
  if (!(stdin instanceof Readable) || typeof terminal.setRawMode !== 'function') return undefined
  stdout.write(question)
  terminal.setRawMode(true)
  terminal.resume()
  try {
    return await new Promise(resolve => {
      let typed = ''
      const take = (chunk: Buffer): void => {
        for (const letter of chunk.toString('utf8')) {
          if (letter === '\r' || letter === '\n' || letter === '\u0004' || letter === '\u0003') {
            terminal.off('data', take)
            resolve(letter === '\u0003' ? undefined : typed)
            return
          }
          typed = letter === '\u007f' ? typed.slice(0, -1) : typed + letter
        }
      }
      terminal.on('data', take)
    })
  } finally {
    terminal.setRawMode(false)
    terminal.pause()
    stdout.write('\n')
  }
}
