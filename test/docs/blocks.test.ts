import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { skip } from '../skip.ts'
import { runnersOf } from './runners.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.md'))

/** Commands as a person types them, but for two things: nodes take free ports, and a daemon that was just started is waited for. */
const cloudburst = (dist: string): string => `#!/bin/bash
case "$1 $2" in
  'init --ticket'*) for try in {1..100}; do ${dist}/cloudburst.js hello >/dev/null 2>&1 && break; sleep 0.1; done ;;
  'init --join'*) ;;
  'init '*) set -- "$@" --listen /ip4/127.0.0.1/tcp/0 --no-mdns ;;
esac
exec ${dist}/cloudburst.js "$@"
`

/** Pages whose commands are run together with the answers that stand there, by tests of their own. */
const WITH_ANSWERS: readonly string[] = ['permissions.md']

/** Pages where a `text` block right behind one of commands is what these print, or a part of it. */
const ANSWERED: readonly string[] = ['plan.md']
const MARK = '--- that was block'

/** A page's blocks of commands run one after the other in one directory. What is only to be looked at is marked \`text\`. */
describe('the commands in docs/', () => {
  let directory: string
  let running: ChildProcess | undefined

  before(function () {
    if (!existsSync(join(root, 'dist/cloudburst.js'))) skip(this, 'needs dist/ (npm run build)')
  })

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cb-'))
    const bin = join(directory, 'bin')
    mkdirSync(bin)
    mkdirSync(join(directory, 'work'))
    writeFileSync(join(bin, 'cloudburst'), cloudburst(join(root, 'dist')))
    writeFileSync(join(bin, 'cloudburstd'), `#!/bin/sh\nexec ${join(root, 'dist/cloudburstd.js')} "$@"\n`)
    for (const name of readdirSync(bin)) chmodSync(join(bin, name), 0o755)
  })

  afterEach(async () => {
    // daemons and their runners stay in the process group of the block that started them
    if (running?.pid !== undefined) spawnSync('kill', ['-KILL', '--', `-${running.pid}`])
    for (const pid of runnersOf(directory)) spawnSync('kill', ['-KILL', pid])
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  })

  for (const page of pages) {
    const text = readFileSync(join(root, 'docs', page), 'utf8')
    const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```(?:\n+```text\n([\s\S]*?)^```)?/gm)]
    if (blocks.length === 0 || WITH_ANSWERS.includes(page)) continue
    it(`do what ${page} says`, async function () {
      if (text.includes('xmllint') && spawnSync('xmllint', ['--version']).error !== undefined)
        skip(this, 'needs xmllint (Debian: libxml2-utils)')
      this.timeout(60_000)
      const env = {
        PATH: `${join(directory, 'bin')}:${process.env['PATH']}`,
        HOME: directory,
        CLOUDBURST_HOME: join(directory, 'home'),
        CLOUDBURST_PACKAGE: root,
        NO_COLOR: '1'
      }
      const script = ['exec 2>&1', ...blocks.map(([, commands = '']) => `${commands}echo '${MARK}'`)].join('\n')
      running = spawn('/bin/bash', ['-e', '-o', 'pipefail', '-c', script], {
        cwd: join(directory, 'work'),
        env,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe']
      })
      let said = ''
      for (const stream of [running.stdout!, running.stderr!]) stream.setEncoding('utf8').on('data', (part: string) => (said += part))
      // A daemon that a page leaves running holds the pipes open.
      const [exit] = (await once(running, ANSWERED.includes(page) ? 'close' : 'exit')) as [number | null]
      assert.equal(exit, 0, said)
      if (!ANSWERED.includes(page)) return
      const outputs = said.split(`${MARK}\n`)
      blocks.forEach(([, , answer], at) => {
        if (answer !== undefined) assert.match(outputs[at] ?? '', looksLike(answer))
      })
    })
  }
})

/** What is different each time matches anything: ids, times and what is written as `…`. */
function looksLike(answer: string): RegExp {
  const plain = answer.replace(/01[0-9A-HJKMNP-TV-Z]{24}|01\w+…|\d{4}-\d\d-\d\dT[\d:.]+Z|\b[0-9a-f]{8}\b|\b[\d.]+ m?s\b/g, '…')
  return new RegExp(`^${plain.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*')}`, 'm')
}
