import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { skip } from '../skip.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Long: two clones with packages of their own. `npm run clones` sets it. */
const LONG = process.env['CLOUDBURST_CLONES'] !== undefined
const QEMU = 'qemu-aarch64-static'
/** Where Debian's libraries for arm64 are on another machine. */
const LIBRARIES = '/usr/aarch64-linux-gnu'

if (LONG)
  describe('artefacts of fresh clones', function () {
    this.timeout(15 * 60_000)
    let directory: string

    before(() => {
      directory = mkdtempSync(join(tmpdir(), 'cb-clones-'))
    })

    after(() => rmSync(directory, { recursive: true, force: true }))

    it('are the same bytes at different paths, for both architectures, as rpm and as package of Debian', () => {
      // The second of the first: somebody may commit meanwhile.
      const clones = [root, ...['first', 'a/second/with a longer path'].map(name => join(directory, name))]
      const made = clones.slice(1).map((clone, at) => packagesOf(clone, clones[at] as string, at))
      assert.deepEqual(made[0], made[1])
      assert.deepEqual(
        made[0]?.map(([name]) => name.replace(/\d+\.\d+\.\d+/, 'V')),
        [
          'cloudburst-V-linux-arm64.tar.gz',
          'cloudburst-V-linux-x64.tar.gz',
          'deb/cloudburst_V_amd64.deb',
          'deb/cloudburst_V_arm64.deb',
          'rpm/cloudburst-V-1.aarch64.rpm',
          'rpm/cloudburst-V-1.x86_64.rpm'
        ]
      )
    })

    it('run on arm64', function () {
      const lacks = spawnSync(QEMU, ['--version']).error !== undefined || !existsSync(join(LIBRARIES, 'lib/libstdc++.so.6'))
      if (lacks) skip(this, `needs ${QEMU} and libraries of arm64 (Debian: qemu-user-static, libstdc++6-arm64-cross)`)
      const out = join(directory, 'first-out')
      const [archive = ''] = readdirSync(out).filter(name => name.endsWith('arm64.tar.gz'))
      run('tar', ['xzf', join(out, archive), '-C', directory], directory)
      const [tree = ''] = readdirSync(directory).filter(name => /-[0-9a-f]{12}$/.test(name))
      const program = (name: string): string[] => [join(directory, tree, 'runtime/node'), join(directory, tree, 'lib/dist', `${name}.js`)]
      const env = { ...process.env, QEMU_LD_PREFIX: LIBRARIES, HOME: directory }
      for (const name of ['cloudburst', 'cloudburstd'])
        assert.match(run(QEMU, [...program(name), '--version'], directory, env), /^(cloudburst )?\d+\.\d/)
      // Native parts too.
      const load = `await import('${join(directory, tree, 'lib/node_modules')}/level/index.js'); console.log(process.arch)`
      const words = [program('cloudburst')[0] as string, '--input-type=module', '-e', load]
      assert.equal(run(QEMU, words, directory, env), 'arm64\n')
    })

    function packagesOf(clone: string, from: string, at: number): readonly (readonly [string, string])[] {
      const out = join(directory, at === 0 ? 'first-out' : 'second-out')
      mkdirSync(dirname(clone), { recursive: true })
      run('git', ['clone', '--quiet', '--no-hardlinks', from, clone], directory)
      run('npm', ['ci', '--silent', '--prefer-offline', '--no-audit', '--no-fund'], clone)
      run(
        process.execPath,
        ['scripts/package.mjs', '--target', 'linux-x64', '--target', 'linux-arm64', '--deb', '--rpm', '--out', out],
        clone
      )
      return readdirSync(out, { recursive: true, encoding: 'utf8' })
        .filter(file => /\.(tar\.gz|deb|rpm)$/.test(file))
        .toSorted()
        .map(file => [
          file,
          createHash('sha256')
            .update(readFileSync(join(out, file)))
            .digest('hex')
        ])
    }
  })

function run(program: string, words: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): string {
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: 'utf8', cwd, env, maxBuffer: 64 * 1024 * 1024 })
  assert.equal(status, 0, `${program} ${words.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}
