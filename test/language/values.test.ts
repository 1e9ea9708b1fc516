/** Values reach commands byte for byte, by every way that the language offers; what could be read otherwise is refused first. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { cli } from '../../src/cli/cli.ts'
import { type FakeIo, fakeIo } from '../fakes/io.ts'
import { temporaryDirectory } from '../node/store/temporary-directory.ts'
import { skip } from '../skip.ts'
import { startSshd, type TestSshd, whyNoSshd } from './sshd.ts'
import { weirdText, xmlText } from './random-program.ts'

/** Values of one run: each is a command or two, over ssh some hundred milliseconds. */
const LOCAL_VALUES = 24
const SSH_VALUES = 12
/** The same cases each time in the suite; new ones by `npm run fuzz:language`. */
const seed = Number(process.env['CLOUDBURST_FUZZ_SEED'] ?? (process.env['CLOUDBURST_FUZZ_RUNS'] === undefined ? 7 : Date.now() % 2 ** 31))

/** What has gone wrong somewhere before, in some tool. */
const KNOWN = [
  "it's",
  '"quoted" \\ and \\\\',
  'two\nlines\n',
  '-rf',
  '--',
  '*',
  '~root',
  '$(id) `id` $HOME ${x:-y}',
  ';&|<>(){}[]!#%^',
  ' lead and trail ',
  "'\\''",
  'é日本😀\u202e',
  '\t\r\n'
]

const hex = (text: string): string => Buffer.from(text).toString('hex')
const show = "od -An -v -tx1 | tr -d ' \\n'"

describe(`values in commands, seed ${seed}`, function () {
  this.timeout(60_000)
  const directory = temporaryDirectory()

  const write = (body: string, values: readonly string[], parameters = ''): string => {
    const file = join(directory(), 'values.xml')
    writeFileSync(
      file,
      `<cloudburst name="values"><list name="values">${values.map(value => `<variable>${xmlText(value)}</variable>`).join('')}</list>
<goalProto name="show"><variable name="to" type="localFilePath">${directory()}/seen</variable>${parameters}<method>
<find symbol="v"><in><get>values</get></in><do>${body}</do></find></method></goalProto></cloudburst>`
    )
    return file
  }
  const run = async (...words: string[]): Promise<FakeIo['said'] & { exit: number }> => {
    const io = fakeIo({ env: { HOME: directory(), PATH: process.env['PATH'] ?? '' } })
    const exit = await cli([...words, '--home', join(directory(), 'home')], io)
    return { ...io.said, exit }
  }
  /** What the commands saw, one line of hexadecimal for each. */
  const seen = async (body: string, values: readonly string[], parameters = ''): Promise<string[]> => {
    const { exit, stdout, stderr } = await run('pursue', write(body, values, parameters), 'show')
    assert.equal(exit, 0, stdout + stderr)
    return readFileSync(join(directory(), 'seen'), 'utf8').split('\n').slice(0, -1)
  }
  /** A variable without text, or of blanks only, is undefined: that is another test's. */
  const samples = (count: number): string[] => [
    ...KNOWN.filter(value => value.trim() !== ''),
    ...fc.sample(weirdText, { numRuns: count, seed }).filter(value => value.trim() !== '')
  ]
  const keep = `>> <get quote="shell">goal.to</get>; echo >> <get quote="shell">goal.to</get>`

  it('arrive by a local shell, quoted and by environment', async () => {
    const values = samples(LOCAL_VALUES)
    const body = `<shell><send>printf %s <get quote="shell">v</get> | ${show} ${keep}</send>
      <send>printf %s "<get as="env">v</get>" | ${show} ${keep}</send></shell>`
    assert.deepEqual(
      await seen(body, values),
      values.flatMap(value => [hex(value), hex(value)])
    )
  })

  it('arrive through a shell in a shell, quoted once for each', async () => {
    const values = samples(LOCAL_VALUES)
    const body = `<update><set>goal.inner</set><string>printf %s <get quote="shell">v</get> | ${show}</string></update>
      <shell><send>sh -c <get quote="shell">goal.inner</get> ${keep}</send></shell>`
    assert.deepEqual(await seen(body, values), values.map(hex))
  })

  it('arrive in temporary files and as arguments of a prefix', async () => {
    const values = samples(LOCAL_VALUES).filter(value => !value.startsWith('-'))
    const body = `<tempFile name="held"><get>v</get></tempFile>
      <shell><send>cat <get quote="shell">goal.held</get> | ${show} ${keep}</send></shell>
      <shell><command>env -- "V=<get>v</get>" TO=<get>goal.to</get> sh -c</command>
        <send>printf %s "$V" | ${show} &gt;&gt; "$TO"; echo &gt;&gt; "$TO"</send></shell>`
    assert.deepEqual(
      await seen(body, values),
      values.flatMap(value => [hex(value), hex(value)])
    )
  })

  it('arrive from the words of the command line', async () => {
    const values = samples(12)
    const file = write(
      `<shell><send>printf %s <get quote="shell">goal.given</get> | ${show} ${keep}</send></shell>`,
      ['once'],
      '<variable name="given" type="string"/>'
    )
    for (const value of values) {
      const { exit, stdout, stderr } = await run('pursue', file, 'show', `goal.given=${value}`)
      assert.equal(exit, 0, stdout + stderr)
    }
    assert.deepEqual(readFileSync(join(directory(), 'seen'), 'utf8').split('\n').slice(0, -1), values.map(hex))
  })

  it('that a shell would take apart are refused unquoted, in the plan and before their command runs', async () => {
    for (const value of samples(12)) {
      if (/^[A-Za-z0-9_./:@%+=,][A-Za-z0-9_./:@%+=,-]*$/.test(value)) continue
      const file = write(`<shell><send>touch <get quote="shell">goal.to</get>; echo <get>v</get></send></shell>`, [value])
      const plan = await run('plan', file, 'show')
      assert.equal(plan.exit, 5, `${JSON.stringify(value)}: ${plan.stdout}`)
      assert.equal((await run('pursue', file, 'show')).exit, 3, JSON.stringify(value))
      assert.equal(existsSync(join(directory(), 'seen')), false)
    }
  })

  describe('through ssh', () => {
    let sshd: TestSshd | undefined
    before(async function () {
      const why = whyNoSshd()
      if (why !== undefined) skip(this, why)
      sshd = await startSshd()
    })
    after(() => sshd?.stop())

    it('arrive quoted, also behind a second shell there', async () => {
      const values = samples(SSH_VALUES)
      const body = `<update><set>goal.inner</set><string>printf %s <get quote="shell">v</get> | ${show}</string></update>
        <shell reuse="true"><command>ssh -F ${sshd!.config} there</command>
          <send>printf %s <get quote="shell">v</get> | ${show} ${keep}</send>
          <send>sh -c <get quote="shell">goal.inner</get> ${keep}</send></shell>`
      assert.deepEqual(
        await seen(body, values),
        values.flatMap(value => [hex(value), hex(value)])
      )
    })

    it('find the send as the one last argument, with its semicolons, and the prefix split by the rules of a shell', async () => {
      const body = `<shell><command>ssh -F '${sshd!.config}' -o 'SetEnv=LC_TEST="a b"' -o Comp"re"ssion\\=yes there</command>
        <send name="said">printf %s "$LC_TEST" | ${show} ${keep}; for i in 1 2; do printf %s "$i;" | ${show} ${keep}; done</send></shell>`
      assert.deepEqual(await seen(body, ['once']), [hex('a b'), hex('1;'), hex('2;')])
    })

    it('end with the status of the command there', async () => {
      const file = write(
        `<shell><command>ssh -F ${sshd!.config} there</command><send name="it">echo out; echo err &gt;&amp;2; exit 7</send></shell>`,
        ['once']
      )
      const { exit, stdout } = await run('pursue', file, 'show')
      assert.equal(exit, 3)
      assert.match(stdout, /exit(ed with)? 7/)
    })

    it('are refused there by environment, which a prefix does not pass on', async () => {
      const body = `<shell><command>ssh -F ${sshd!.config} there</command><send>echo <get as="env">v</get></send></shell>`
      assert.equal((await run('plan', write(body, ['a b']), 'show')).exit, 5)
    })

    it('arrive by scp: a file whose name and text are both odd', async () => {
      const name = "it's $(id) 日本;*"
      writeFileSync(join(directory(), name), 'text\r\n\0end')
      const body = `<shell><command>scp -q -F ${sshd!.config} <get>v</get></command><send>there:${directory()}/copied</send></shell>`
      const { exit, stdout, stderr } = await run('pursue', write(body, [join(directory(), name)]), 'show')
      assert.equal(exit, 0, stdout + stderr)
      assert.equal(readFileSync(join(directory(), 'copied'), 'utf8'), 'text\r\n\0end')
    })

    it('share one connection with reuse', async () => {
      const body = `<shell reuse="true"><command>ssh -F ${sshd!.config} there</command><send>printf %s <get quote="shell">v</get> | ${show} ${keep}</send></shell>`
      const before = sshd!.connections()
      assert.deepEqual(await seen(body, ['a b', 'c', 'd']), ['a b', 'c', 'd'].map(hex))
      assert.equal(sshd!.connections() - before, 1)
    })
  })
})
