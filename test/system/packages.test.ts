import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '../node/store/temporary-directory.ts'
import { until } from './mesh/process.ts'

const dist = fileURLToPath(new URL('../../dist/', import.meta.url))

/** What costs tens of milliseconds or megabytes, and few ever need. */
const HEAVY: readonly string[] = ['@aws-sdk/client-ec2', '@hpcc-js/wasm-graphviz', 'node-forge', 'sh-syntax', 'ssh2', 'tar-stream', 'yaml']

/** V8 writes at the end of a process which scripts it has loaded. */
describe('packages that are loaded', function () {
  this.timeout(60_000)
  const directory = temporaryDirectory()
  const environment = (): NodeJS.ProcessEnv => ({
    ...process.env,
    NODE_V8_COVERAGE: join(directory(), 'loaded'),
    XDG_CACHE_HOME: join(directory(), 'cache')
  })
  const cli = (...words: readonly string[]): void => {
    const { status, stderr } = spawnSync(process.execPath, [join(dist, 'cloudburst.js'), ...words], {
      cwd: directory(),
      env: environment(),
      encoding: 'utf8'
    })
    assert.equal(status, 0, stderr)
  }
  const loaded = (): ReadonlySet<string> => packagesOf(join(directory(), 'loaded'))

  it('are none by --help', () => {
    cli('--help')
    assert.deepEqual([...loaded()], [])
  })

  it('are none that is heavy when a program is planned', () => {
    writeFileSync(
      join(directory(), 'x.xml'),
      '<cloudburst name="x"><goalProto name="g"><method><shell><send>true</send></shell></method></goalProto></cloudburst>'
    )
    cli('plan', 'x.xml', 'g', '--home', join(directory(), 'none'))
    assert.ok(loaded().has('valibot'), 'the packages are not seen')
    assert.deepEqual(heavyOf(loaded()), [])
    assert.ok(!loaded().has('libp2p'), 'there is nobody to talk to')
  })

  it('are none that is heavy when a daemon is at rest', async () => {
    const home = join(directory(), 'home')
    spawnSync(process.execPath, [join(dist, 'cloudburst.js'), 'init', '--home', home, '--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns'])
    const daemon = spawn(process.execPath, [join(dist, 'cloudburstd.js'), '--home', home], { env: environment(), stdio: 'ignore' })
    const ended = once(daemon, 'exit')
    try {
      await until('the daemon answers', async () => {
        const { status } = spawnSync(process.execPath, [join(dist, 'cloudburst.js'), 'hello', '--home', home])
        return status === 0
      })
    } finally {
      daemon.kill('SIGTERM')
      await ended
    }
    for (const needed of ['libp2p', 'level', 'pino']) assert.ok(loaded().has(needed), `${needed} is not seen`)
    assert.deepEqual(heavyOf(loaded()), [])
  })
})

function heavyOf(packages: ReadonlySet<string>): readonly string[] {
  return HEAVY.filter(name => packages.has(name))
}

/** Of scripts in node_modules, and of what was bundled into scripts in dist/, as their maps tell. */
function packagesOf(directory: string): ReadonlySet<string> {
  const scripts = readdirSync(directory).flatMap(name => {
    const { result } = JSON.parse(readFileSync(join(directory, name), 'utf8')) as { result: { url: string }[] }
    return result.map(({ url }) => url).filter(url => url.startsWith('file:'))
  })
  const sources = [...new Set(scripts)].flatMap(url => {
    const path = fileURLToPath(url)
    return path.startsWith(dist) ? (JSON.parse(readFileSync(`${path}.map`, 'utf8')) as { sources: string[] }).sources : [path]
  })
  return new Set(sources.flatMap(source => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []))
}
