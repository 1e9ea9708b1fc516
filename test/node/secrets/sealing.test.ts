import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../../src/cli/cli.ts'
import { fakeIo } from '../../fakes/io.ts'

const SECRET = 'correct-horse-7351'

describe('a secret', () => {
  let home: string
  let file: string
  let out: string

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cb-'))
    file = join(home, 'db.xml')
    out = join(home, 'out')
    process.env['CB_TEST_SECRET'] = SECRET
    writeFileSync(
      file,
      `<cloudburst name="db">
        <struct name="Login"><variable name="user"/><variable name="password" type="password"/></struct>
        <goalProto name="child"><variable name="pw" type="secret"/><method name="m"><shell><send>printf %s <get>goal.pw</get> &gt;&gt; ${out}; tr '\\0' ' ' &lt; /proc/$$/cmdline</send></shell></method></goalProto>
        <goalProto name="connect"><variable name="pw" type="password"/><variable name="login" type="Login"/><variable name="fail">0</variable>
          <variable name="url"><string>db://<get>goal.pw</get>@h</string></variable>
          <method name="m">
            <describe>log in with <get>goal.pw</get></describe>
            <tempFile name="conf">pw=<get>goal.pw</get></tempFile>
            <goalCompleted name="child"><variable name="pw"><get>goal.pw</get></variable></goalCompleted>
            <shell><send name="use">tr '\\0' ' ' &lt; /proc/$$/cmdline; echo <get>goal.pw</get> &gt;&amp;2; exit <get>goal.fail</get></send></shell>
          </method></goalProto>
        <goalProto name="refer"><variable name="pw" type="password"><secret from="env">CB_TEST_SECRET</secret></variable>
          <method name="m"><shell><send>printf %s <get>goal.pw</get> &gt; ${out}</send></shell></method></goalProto>
      </cloudburst>`
    )
  })

  afterEach(() => {
    delete process.env['CB_TEST_SECRET']
    rmSync(home, { recursive: true, force: true })
  })

  const run = async (...words: string[]): Promise<{ exit: number; stdout: string; stderr: string }> => {
    const io = fakeIo({ cwd: home })
    const exit = await cli([...words, '--home', home], io)
    return { exit, ...io.said }
  }
  const filesWith = (text: string, directory = home): string[] =>
    readdirSync(directory, { withFileTypes: true }).flatMap(entry => {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) return filesWith(text, path)
      return entry.isFile() && readFileSync(path).includes(text) ? [path] : []
    })

  it('that is typed reaches commands, and is on no disk but in its sealed file, on no screen and in no argument list', async () => {
    const { exit, stdout, stderr } = await run('pursue', file, 'connect', `goal.pw=${SECRET}`, 'goal.fail=7', '-g', '-v', '-n')
    assert.equal(exit, 3, stderr)
    assert.equal(readFileSync(out, 'utf8'), SECRET)
    rmSync(out)
    assert.ok(!(stdout + stderr).includes(SECRET), stdout)
    const id = /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(stdout)![0]
    for (const shown of [
      await run('goal', id, file, '-o', 'json'),
      await run('goal', id, file, '-o', 'wide'),
      await run('logs', id, file, '--replay', '-g', '-v')
    ])
      assert.ok(!(shown.stdout + shown.stderr).includes(SECRET), shown.stdout)

    const sealed = filesWith(SECRET).filter(path => path.includes('/sealed/'))
    assert.equal(sealed.length, 1)
    assert.equal(statSync(sealed[0]!).mode & 0o777, 0o600)
    // What the command itself printed is its output, and its temporary file is what was asked for: both are private.
    const others = filesWith(SECRET).filter(path => !path.includes('/sealed/') && !/\/(steps|files)\//.test(path))
    assert.deepEqual(others, [])
    const printed = filesWith(SECRET).filter(path => path.includes('/steps/'))
    assert.deepEqual(
      printed.map(path => path.split('/').at(-1)),
      ['err'],
      'the argument list of a command holds the secret'
    )
  })

  it('is there again for a repair, after the process that took it has gone', async () => {
    const { stdout } = await run('pursue', file, 'connect', `goal.pw=${SECRET}`, 'goal.fail=7')
    const id = /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(stdout)![0]
    const again = await run('repair', id, file, 'goal.fail=0')
    assert.equal(again.exit, 0, again.stdout + again.stderr)
    assert.deepEqual(
      filesWith(SECRET).filter(path => path.includes('/sealed/')),
      [],
      'it is forgotten with the goal'
    )
  })

  it('in a struct is one by the type of its field', async () => {
    const { exit, stdout, stderr } = await run(
      'pursue',
      file,
      'connect',
      'goal.pw=x',
      `goal.login={"user":"u","password":"${SECRET}"}`,
      '-g',
      '-o',
      'json'
    )
    assert.equal(exit, 0, stderr)
    assert.ok(!(stdout + stderr).includes(SECRET))
    assert.ok(stdout.includes('"u"'))
  })

  it('may be a reference, of the program or of the command line, that is looked up when it is used', async () => {
    assert.equal((await run('pursue', file, 'refer')).exit, 0)
    assert.equal(readFileSync(out, 'utf8'), SECRET)
    rmSync(out)
    assert.deepEqual(filesWith(SECRET), [])
    writeFileSync(join(home, 'pw'), 'from a file\n')
    assert.equal((await run('pursue', file, 'refer', `goal.pw=@file:${join(home, 'pw')}`)).exit, 0)
    assert.equal(readFileSync(out, 'utf8'), 'from a file')
    assert.equal((await run('pursue', file, 'refer', 'goal.pw=@command:echo from a command')).exit, 0)
    assert.equal(readFileSync(out, 'utf8'), 'from a command')
  })

  it('that cannot be had suspends the goal with where it should have come from', async () => {
    const { exit, stdout } = await run('pursue', file, 'refer', 'goal.pw=@env:CB_NOT_THERE')
    assert.equal(exit, 3)
    assert.match(stdout, /the secret goal\.pw cannot be had now: there is no environment variable CB_NOT_THERE/)
  })

  it('is not looked up by a plan, nor shown by it', async () => {
    const { exit, stdout } = await run('plan', file, 'refer', `goal.pw=@command:touch ${out}`, '-o', 'json')
    assert.equal(exit, 0)
    assert.ok(stdout.includes('***'))
    assert.deepEqual(readdirSync(home).includes('out'), false)
    const typed = await run('plan', file, 'connect', `goal.pw=${SECRET}`, '-o', 'json')
    assert.ok(!typed.stdout.includes(SECRET), typed.stdout)
  })
})
