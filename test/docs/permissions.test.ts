import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { skip } from '../skip.ts'
import { runnersOf } from './runners.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(root, 'docs/permissions.md'), 'utf8')

/** As a person types them, but nodes take free ports. */
const cloudburst = `#!/bin/bash
case "$1" in init) set -- "$@" --listen /ip4/127.0.0.1/tcp/0 --no-mdns ;; esac
exec ${process.execPath} ${join(root, 'dist/cloudburst.js')} "$@"
`

interface Block {
  readonly kind: 'sh' | 'console'
  readonly text: string
}

/** What is different each time stands for itself; tables are as wide as what is in them. */
function plain(text: string): string {
  return text
    .replace(/12D3KooW\w{44}/g, 'PEER')
    .replace(/…[1-9A-HJ-NP-Za-km-z]{8}\b/g, '…PEER')
    .replace(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, 'ID')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/^error: \S+ \(/m, 'error: NAME (')
    .replace(/ --home \S+/g, '')
    .replace(/ +/g, ' ')
    .replace(/ $/gm, '')
    .trim()
}

/** One shell for the whole page: what each command prints, both streams in the order of lines. */
class Shell {
  readonly #process: ChildProcess
  #said = ''
  #heard: () => void = () => undefined

  constructor(cwd: string, path: string) {
    const env = { PATH: `${path}:${process.env['PATH']}`, HOME: cwd, NO_COLOR: '1' }
    this.#process = spawn('/bin/bash', [], { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
    for (const stream of [this.#process.stdout!, this.#process.stderr!])
      stream.setEncoding('utf8').on('data', (part: string) => {
        this.#said += part
        this.#heard()
      })
  }

  async run(command: string): Promise<string> {
    this.#said = ''
    this.#process.stdin!.write(`{ ${command}\n} 2>&1\necho "--- ended $?"\n`)
    while (!/^--- ended \d+\n/m.test(this.#said)) await new Promise<void>(resolve => (this.#heard = resolve))
    return this.#said.replace(/^--- ended \d+\n/m, '')
  }

  end(): void {
    if (this.#process.pid !== undefined) spawnSync('kill', ['-KILL', '--', `-${this.#process.pid}`])
  }
}

describe('docs/permissions.md', function () {
  this.timeout(120_000)
  let directory: string
  let shell: Shell

  before(function () {
    if (!existsSync(join(root, 'dist/cloudburst.js'))) skip(this, 'needs dist/ (npm run build)')
    directory = mkdtempSync(join(tmpdir(), 'cb-'))
    const bin = join(directory, 'bin')
    for (const name of ['bin', 'work']) mkdirSync(join(directory, name))
    writeFileSync(join(bin, 'cloudburst'), cloudburst)
    writeFileSync(join(bin, 'cloudburstd'), `#!/bin/sh\nexec ${process.execPath} ${join(root, 'dist/cloudburstd.js')} "$@"\n`)
    for (const name of ['cloudburst', 'cloudburstd']) chmodSync(join(bin, name), 0o755)
    shell = new Shell(join(directory, 'work'), bin)
  })
  after(() => {
    shell?.end()
    if (directory !== undefined) {
      for (const pid of runnersOf(directory)) spawnSync('kill', ['-KILL', pid])
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    }
  })

  const blocks = [...page.matchAll(/^```(sh|console)\n([\s\S]*?)^```/gm)].map(([, kind, text]) => ({ kind, text }) as Block)
  for (const { kind, text } of blocks) {
    if (kind === 'sh') {
      it(`runs what begins with ${text.split('\n')[0]}`, async () => {
        await shell.run(text)
      })
      continue
    }
    for (const piece of text.split(/^\$ /m).slice(1)) {
      const [command = '', ...output] = piece.split('\n')
      it(`says what comes of ${command.slice(0, 70)}`, async () => {
        assert.equal(plain(await shell.run(command)), plain(output.join('\n')))
      })
    }
  }
})
