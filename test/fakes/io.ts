import type { Io } from '../../src/cli/io.ts'

export interface FakeIo extends Io {
  readonly said: { stdout: string; stderr: string }
}

/** A process that keeps what is written; stdin as given. */
export function fakeIo(
  some: {
    readonly stdin?: string
    readonly env?: Io['env']
    readonly interrupted?: AbortSignal
    readonly cwd?: string
    readonly tty?: boolean
  } = {}
): FakeIo {
  const said = { stdout: '', stderr: '' }
  const tty = some.tty === true ? { isTTY: true } : {}
  const output = (name: 'stdout' | 'stderr'): Io['stdout'] => ({
    ...tty,
    write: text => {
      said[name] += text
      return true
    }
  })
  return {
    said,
    stdout: output('stdout'),
    stderr: output('stderr'),
    stdin: Object.assign(
      (async function* () {
        yield some.stdin ?? ''
      })(),
      tty
    ),
    env: some.env ?? (some.tty === true ? { TERM: 'dumb' } : {}),
    cwd: some.cwd ?? process.cwd(),
    uid: 1000,
    interrupted: some.interrupted ?? new AbortController().signal
  }
}
