/** The explicit prefix with programs other than ssh: what is sent is their last argument, untouched. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cli } from '../../src/cli/cli.ts'
import { fakeIo } from '../fakes/io.ts'
import { temporaryDirectory } from '../node/store/temporary-directory.ts'
import { skip } from '../skip.ts'
import { startDocker, type TestDocker, whyNoDocker } from './docker.ts'
import { xmlText } from './random-program.ts'

const ODD = `it's "$(id)" \\ *;\n日本 -`
const show = "od -An -v -tx1 | tr -d ' \\n'"

describe('a prefix', function () {
  this.timeout(60_000)
  const directory = temporaryDirectory()

  /** What the named send printed. */
  const said = async (command: string, send: string): Promise<string> => {
    const file = join(directory(), 'prefix.xml')
    writeFileSync(
      file,
      `<cloudburst name="prefix"><variable name="odd">${xmlText(ODD)}</variable><goalProto name="g"><method>
      <shell><command>${command}</command><send name="it">${send}</send></shell></method></goalProto></cloudburst>`
    )
    const io = fakeIo({ env: { HOME: directory(), PATH: process.env['PATH'] ?? '' } })
    const exit = await cli(['pursue', file, 'g', '-o', 'json', '--home', join(directory(), 'home')], io)
    assert.equal(exit, 0, io.said.stderr)
    return JSON.parse(io.said.stdout).results.it.fields.stdout.value
  }

  it('is not seen by any local shell, and neither is what is sent', async () => {
    assert.equal(await said('printf %s| $HOME ~ "*" ; [%s]', '; echo $HOME *'), '$HOME|~|*|;|[%s]|; echo $HOME *|')
  })

  it('with sudo runs as the other user', async function () {
    if (process.getuid?.() !== 0) skip(this, 'only root may be anybody without a password')
    if (!existsSync('/usr/bin/sudo')) skip(this, 'sudo is not installed')
    const nobody = readFileSync('/etc/passwd', 'utf8').match(/^nobody:[^:]*:(\d+)/m)?.[1]
    const printed = await said('sudo -n -u nobody sh -c', `printf '%s ' "$(id -u)"; printf %s <get quote="shell">odd</get> | ${show}`)
    assert.equal(printed, `${nobody} ${Buffer.from(ODD).toString('hex')}`)
  })

  describe('with docker exec', () => {
    let docker: TestDocker | undefined
    before(async function () {
      const why = whyNoDocker()
      if (why !== undefined) skip(this, why)
      docker = await startDocker()
    })
    after(() => docker?.stop())

    it('runs in the container', async () => {
      const printed = await said(
        `docker -H ${docker!.host} exec -e "LATE=<get>odd</get>" ${docker!.container} /bin/sh -c`,
        `cat /proc/1/comm; printf %s <get quote="shell">odd</get> | ${show}; echo; printf %s "$LATE" | ${show}`
      )
      const odd = Buffer.from(ODD).toString('hex')
      assert.equal(printed, `sleep\n${odd}\n${odd}`)
    })
  })
})
