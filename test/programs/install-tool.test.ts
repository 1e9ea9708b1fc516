import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { skip } from '../skip.ts'
import { start } from '../system/mesh/process.ts'
import { entry, type Place, place } from './cli.ts'
import { inSandbox, needSandbox } from './sandbox.ts'

/** A package of our own in a repository of our own, so that the real apt has something to install, without any network. */
const REPOSITORY = `
  mkdir -p repository made/DEBIAN made/usr/bin
  printf 'Package: cb-greet\\nVersion: 1\\nArchitecture: all\\nMaintainer: nobody <nobody@example.org>\\nDescription: says hello\\n' > made/DEBIAN/control
  printf '#!/bin/sh\\necho greetings\\n' > made/usr/bin/cb-greet; chmod 755 made made/usr/bin/cb-greet
  dpkg-deb --root-owner-group --build made repository/cb-greet.deb >/dev/null
  { cat made/DEBIAN/control; echo "Filename: ./cb-greet.deb"; echo "Size: $(stat -c %s repository/cb-greet.deb)"
    echo "SHA256: $(sha256sum repository/cb-greet.deb | cut -d' ' -f1)"; } > repository/Packages
  chmod -R a+rX . ; rm -rf /etc/apt/sources.list.d/* ; echo "deb [trusted=yes] file:$PWD/repository ./" > /etc/apt/sources.list`

describe('install-tool.xml', function () {
  this.timeout(90_000)

  it('installs with the real apt, whose lists it brings up to date when they do not know the package, and only once', async function () {
    needSandbox(this)
    if (!existsSync('/usr/bin/apt-get')) skip(this, 'there is no apt on this machine')
    const { stdout, stderr } = await inSandbox(`${REPOSITORY}
      for turn in 1 2; do cloudburst pursue install-tool.xml installTool goal.package=cb-greet; echo "exit $?"; done; cb-greet`)
    assert.match(
      stdout,
      /ok .*know the package\n.*ok .*install it\ncompleted: 2 done.*\nexit 0\n.*\n.*already true\n.*\nexit 0\ngreetings\n$/,
      stdout + stderr
    )
  })

  it('suspends with what apt said when there is no such package, and goes on with a right one', async function () {
    needSandbox(this)
    if (!existsSync('/usr/bin/apt-get')) skip(this, 'there is no apt on this machine')
    const { stdout, stderr } = await inSandbox(`${REPOSITORY}
      cloudburst pursue install-tool.xml installTool goal.package=cb-great goal.command=cb-greet > said; echo "exit $?"; cat said
      $(grep -o 'cloudburst repair .*--set goal.package=' said)cb-greet; echo "exit $?"`)
    assert.match(stdout, /^exit 3\n/, stdout + stderr)
    assert.match(stdout, /Unable to locate package cb-great/)
    assert.match(stdout, /completed: .*\nexit 0\n$/)
  })

  describe('chooses by what a machine has, as stand-ins show', () => {
    let here: Place
    beforeEach(() => {
      here = place()
    })
    afterEach(() => here.remove())

    /** A machine with the POSIX tools that shells need, and the package manager given: it writes down how it was called. */
    const machine = (manager: string): NodeJS.ProcessEnv => {
      const bin = join(here.directory, 'bin')
      mkdirSync(bin)
      for (const tool of ['sh', 'bash', 'id', 'cat', 'chmod', 'env'])
        symlinkSync(['/bin', '/usr/bin'].map(dir => join(dir, tool)).find(existsSync)!, join(bin, tool))
      const script = `#!/bin/sh\necho "${manager} $*" >> ${here.directory}/called\nprintf '#!/bin/sh\\n' > ${bin}/cb-greet; chmod 755 ${bin}/cb-greet\n`
      writeFileSync(join(bin, manager), script)
      chmodSync(join(bin, manager), 0o755)
      return { ...here.env, PATH: bin }
    }
    const pursue = (env: NodeJS.ProcessEnv) =>
      start(
        process.execPath,
        [entry, 'pursue', 'install-tool.xml', 'installTool', 'goal.package=greet', 'goal.command=cb-greet', '-g', '-e'],
        env
      ).ended

    for (const [manager, call] of [
      ['dnf', 'dnf -y install -- '],
      ['apk', 'apk add --update-cache -- ']
    ] as const) {
      it(`${manager}, and says why not the others`, async function () {
        if (process.getuid?.() !== 0) skip(this, 'as root no sudo is needed')
        const { exit, stdout, stderr } = await pursue(machine(manager))
        assert.equal(exit, 0, stdout + stderr)
        assert.match(stdout, new RegExp(`method ${manager} selected`))
        assert.match(stdout, /method apt rejected/)
        assert.match(stdout, /method brew rejected/)
        assert.ok(stdout.includes(`${call}'greet'`), stdout)
      })
    }

    it('nothing when it has none, and tells what was tried', async () => {
      const { exit, stdout } = await pursue(machine('pacman'))
      assert.equal(exit, 3)
      assert.match(stdout, /no method of installTool can be used: brew: .*; apk: .*; dnf: .*; apt: /)
    })
  })
})
