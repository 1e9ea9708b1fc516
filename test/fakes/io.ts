import type { Io } from '../../src/cli/io.ts'

export interface FakeIo extends Io {
  readonly said: { stdout: string; stderr: string }
}

/** A process that keeps what is written; stdin as given. */
export function fakeIo(
  some: { readonly stdin?: string; readonly env?: Io['env']; readonly interrupted?: AbortSignal; readonly cwd?: string } = {}
): FakeIo {
  const said = { stdout: '', stderr: '' }
  const output = (name: 'stdout' | 'stderr'): Io['stdout'] => ({
    write: text => {
      said[name] += text
      return true
    }
  })
  return {
    said,
    stdout: output('stdout'),
    stderr: output('stderr'),
    stdin: (async function* () {
      yield some.stdin ?? ''
    })(),
    env: some.env ?? {},
    cwd: some.cwd ?? process.cwd(),
    uid: 1000,
    interrupted: some.interrupted ?? new AbortController().signal
  }
}
