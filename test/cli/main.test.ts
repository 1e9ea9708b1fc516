import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createRequire } from 'node:module'
import { skip } from '../skip.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

describe('a terminal', () => {
  let home: string
  let file: string
  let server: string

  before(function () {
    if (spawnSync('tmux', ['-V']).status !== 0) skip(this, 'tmux is not installed')
  })

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cb-'))
    server = `cb-${process.pid}`
    file = join(home, 'live.xml')
    const wait = (name: string): string => `until [ -e ${home}/${name} ]; do sleep 0.02; done`
    writeFileSync(
      file,
      `<cloudburst name="live">
        <goalProto name="part"><method name="quick"><shell><send name="slow"><describe>wait for the part</describe>${wait('part')}</send></shell></method></goalProto>
        <goalProto name="whole"><describe>Build it</describe><method name="m"><goalCompleted name="part"/>
          <shell><send name="last">${wait('last')}</send></shell></method></goalProto>
      </cloudburst>`
    )
  })

  afterEach(() => {
    spawnSync('tmux', ['-L', server, 'kill-server'])
    rmSync(home, { recursive: true, force: true })
  })

  const tmux = (...words: string[]): string => execFileSync('tmux', ['-L', server, ...words], { encoding: 'utf8' })
  const start = (...words: string[]): void => {
    const command = [process.execPath, '--import', tsx, main, ...words, '--home', home].map(word => `'${word}'`).join(' ')
    tmux('-f', '/dev/null', 'new-session', '-d', '-x', '100', '-y', '24', `LANG=C.UTF-8 ${command}; echo "exit $?"; cat`)
  }
  const until = async (what: RegExp): Promise<string> => {
    const deadline = Date.now() + 15_000
    for (;;) {
      const screen = tmux('capture-pane', '-p')
      if (what.test(screen)) return screen
      if (Date.now() > deadline) assert.match(screen, what)
      await pause(50)
    }
  }
  const let_ = (name: string): void => writeFileSync(join(home, name), '')

  it('shows a tree of what is pursued, with progress and elapsed time, and leaves only lines', async function () {
    this.timeout(40_000)
    start('pursue', file, 'whole')
    const early = await until(/part by quick[\s\S]*0 done, 1 running/)
    assert.match(early, /^ {2}> +\d.*whole by m: Build it$/m)
    assert.match(early, /^ {2}> +\d.* {3}part by quick$/m)
    assert.match(early, /^ {2}… +\d.* {5}wait for the part$/m)
    const before = /0 done, 1 running, ([\d.]+ \w+)/.exec(early)![1]!
    await until(new RegExp(`0 done, 1 running, (?!${before.replace('.', '\\.')})`))
    let_('part')
    await until(/1 done, 1 running/)
    let_('last')
    const end = await until(/exit 0/)
    assert.match(end, /completed: 2 done, 0 failed/)
    assert.ok(!/running| > /.test(end.replace(/>\/|->/g, '')), end)
  })

  it('asks before each step, and ctrl-C at the question loses nothing', async function () {
    this.timeout(40_000)
    let_('part')
    let_('last')
    start('pursue', file, 'whole', '--step')
    await until(/\[q\]uit\?/)
    tmux('send-keys', 'y', 'Enter')
    await until(/\[q\]uit\?[\s\S]*\[q\]uit\?/)
    tmux('send-keys', 'C-c')
    const end = await until(/exit 130/)
    const id = /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(end)![0]
    const told = execFileSync(process.execPath, ['--import', tsx, main, 'repair', id, file, '--home', home], { encoding: 'utf8' })
    assert.match(told, /completed: 2 done/)
  })

  it('is not needed: without one only lines are appended', async function () {
    this.timeout(40_000)
    let_('part')
    let_('last')
    const told = execFileSync(process.execPath, ['--import', tsx, main, 'pursue', file, 'whole', '--home', home], { encoding: 'utf8' })
    assert.ok(!told.includes('\u001b') && !told.includes('\r'), JSON.stringify(told))
    assert.deepEqual(told.split('\n').filter(line => line.includes('ok')).length, 2)
    assert.ok(readdirSync(home).length > 0 && readFileSync(file).length > 0)
  })
})
