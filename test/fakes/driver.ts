import type { Command, CommandKey, Driver, Exit, Finished } from '../../src/goals/ports.ts'

/** What a command of the fake does. Absent: it exits with 0. */
export interface Behaviour {
  readonly exit?: Exit
  readonly stdout?: string
  readonly stderr?: string
  /** It runs until this is done, or until it is stopped. */
  readonly until?: Promise<void>
}

/** A driver without a machine. It remembers what it ran, so that a restarted pursuit can recover from the same one. */
export interface FakeDriver extends Driver {
  /** Commands that were started, in order: running one twice is what must not happen. */
  readonly started: readonly Command[]
  /** Private files by `<goal id>/<name>`. */
  readonly privateFiles: ReadonlyMap<string, string>
  /** Forgets how a command ended, as a host crash does. */
  lose(key: CommandKey): void
}

/** @param behave what each command does; the shells' last argument is the text that was sent */
export function fakeDriver(behave: (command: Command) => Behaviour = () => ({})): FakeDriver {
  const started: Command[] = []
  const files = new Map<string, string>()
  const texts = new Map<string, string>()
  const ends = new Map<string, Promise<Finished>>()
  const stops = new Map<string, () => void>()
  const nameOf = ({ goalId, step, attempt }: CommandKey): string => `${goalId} ${step} ${attempt}`

  const execute = async (command: Command): Promise<Finished> => {
    const { exit = { kind: 'exited', code: 0 }, stdout = '', stderr = '', until } = behave(command)
    const stopped = new Promise<Exit>(resolve => stops.set(nameOf(command.key), () => resolve({ kind: 'stopped' })))
    const ended = until === undefined ? exit : await Promise.race([until.then(() => exit), stopped])
    stops.delete(nameOf(command.key))
    return { exit: ended, durationMs: 0, stdout, stderr, truncated: false }
  }
  return {
    started,
    privateFiles: files,
    run: command => {
      const known = ends.get(nameOf(command.key))
      if (known !== undefined) return known
      started.push(command)
      const end = execute(command)
      ends.set(nameOf(command.key), end)
      return end
    },
    recover: async key => ends.get(nameOf(key)) ?? { exit: { kind: 'lost' }, durationMs: 0, stdout: '', stderr: '', truncated: false },
    stop: async key => {
      stops.get(nameOf(key))?.()
      await ends.get(nameOf(key))
    },
    writeFile: async (goalId, name, text) => {
      files.set(`${goalId}/${name}`, text)
      return `/fake/${goalId}/${name}`
    },
    readFile: async (goalId, name) => files.get(`${goalId}/${name}`),
    files: {
      readText: async path => {
        const text = texts.get(path)
        return text === undefined ? { kind: 'absent' } : { kind: 'text', text }
      },
      replaceText: async (path, text) => {
        const old = texts.get(path)
        if (old !== undefined) texts.set(`${path}.cb-backup`, old)
        texts.set(path, text)
      }
    },
    interpreters: { javascript: 'node', python: 'python3' },
    connections: async () => '/fake/connections',
    dropFiles: async goalId => {
      for (const file of [...files.keys()]) if (file.startsWith(`${goalId}/`)) files.delete(file)
    },
    lose: key => void ends.delete(nameOf(key))
  }
}
