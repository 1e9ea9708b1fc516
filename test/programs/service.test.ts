import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { skip } from '../skip.ts'
import { start } from '../system/mesh/process.ts'
import { entry, type Place, place } from './cli.ts'
import { freePort } from './ports.ts'

describe('service.xml', function () {
  this.timeout(30_000)
  let here: Place
  let folder: string
  before(function () {
    if (spawnSync('python3', ['-c', 'import http.server']).status !== 0) skip(this, 'no python3 to serve with')
  })
  beforeEach(() => {
    here = place()
    folder = join(here.directory, 'it is a site')
  })
  afterEach(async () => {
    await here.cli('pursue', 'service.xml', 'stopWebsite', `goal.folder=${folder}`)
    here.remove()
  })

  const website = (verb: string, ...words: string[]) =>
    here.cli(verb, 'service.xml', 'website', `goal.folder=${folder}`, "goal.title=It's <mine> & $HOME", ...words)
  const pageAt = async (port: number): Promise<string> => await (await fetch(`http://127.0.0.1:${port}/`)).text()

  it('serves a page, is left alone when it does, moves to another port, and stops', async () => {
    const [one, two] = [await freePort(), await freePort()]
    const first = await website('pursue', `goal.port=${one}`)
    assert.equal(first.exit, 0, first.stdout + first.stderr)
    assert.equal(await pageAt(one), "It's <mine> & $HOME\n")
    assert.match((await website('plan', `goal.port=${one}`)).stdout, /0 to do, .* 1 already true/)
    assert.equal((await website('pursue', `goal.port=${two}`)).exit, 0)
    assert.equal(await pageAt(two), "It's <mine> & $HOME\n")
    await assert.rejects(pageAt(one), 'the old one has ended')
    const stopped = await here.cli('pursue', 'service.xml', 'stopWebsite', `goal.folder=${folder}`)
    assert.equal(stopped.exit, 0, stopped.stdout)
    assert.ok(!existsSync(join(folder, 'pid')))
    await assert.rejects(pageAt(two))
  })

  it('waits for a repair when the port is taken; then the configuration is written again, and the page is not', async () => {
    const taken = await listening()
    try {
      const failed = await website('pursue', `goal.port=${taken.port}`)
      assert.equal(failed.exit, 3, failed.stdout)
      assert.match(failed.stdout, /Address already in use/)
      const [line] = /cloudburst repair .* --set goal\.port=/.exec(failed.stdout) ?? []
      assert.ok(line !== undefined, failed.stdout)
      const port = await freePort()
      const repaired = await here.cli(...`${line}${port}`.split(' ').slice(1))
      assert.equal(repaired.exit, 0, repaired.stdout + repaired.stderr)
      assert.equal(await pageAt(port), "It's <mine> & $HOME\n")
      assert.equal(readFileSync(join(folder, 'pages-written'), 'utf8'), 'written\n')
      assert.match(readFileSync(join(folder, 'service.conf'), 'utf8'), new RegExp(`^port=${port}$`, 'm'))
    } finally {
      taken.server.close()
    }
  })

  it('is served by busybox where there is no python3', async function () {
    if (!/^httpd$/m.test(spawnSync('busybox', ['--list'], { encoding: 'utf8' }).stdout ?? '')) skip(this, 'no busybox with httpd')
    const bin = join(here.directory, 'bin')
    mkdirSync(bin)
    for (const tool of ['sh', 'bash', 'busybox', 'cat', 'grep', 'install', 'mkdir', 'rm', 'setsid', 'sleep', 'tail', 'timeout'])
      symlinkSync(['/bin', '/usr/bin'].map(directory => join(directory, tool)).find(existsSync)!, join(bin, tool))
    const port = await freePort()
    const words = ['pursue', 'service.xml', 'website', `goal.folder=${folder}`, 'goal.title=By busybox', `goal.port=${port}`, '-g']
    const { exit, stdout, stderr } = await start(process.execPath, [entry, ...words], { ...here.env, PATH: bin }).ended
    assert.equal(exit, 0, stdout + stderr)
    assert.match(stdout, /method python rejected/)
    assert.equal(await pageAt(port), 'By busybox\n')
  })

  it('asks for a folder, and for a port that is one', async () => {
    const { exit, stdout, stderr } = await here.cli('plan', 'service.xml', 'website')
    assert.equal(exit, 5)
    assert.match(stdout + stderr, /goal\.folder/)
    assert.notEqual((await website('pursue', 'goal.port=70000')).exit, 0)
    assert.ok(!existsSync(folder))
  })
})

/** Something else that has the port, and never answers. */
async function listening(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer(socket => socket.on('error', () => undefined))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { server, port: (server.address() as { port: number }).port }
}
