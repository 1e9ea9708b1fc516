import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CloudburstError } from '../../../src/errors.ts'
import { checkOnlyOursToRead, checkOnlyOursToWrite } from '../../../src/node/files/file-safety.ts'
import { initHome, openHome, resolveHome } from '../../../src/node/home.ts'
import { initAuthority } from '../../../src/node/permissions/authority.ts'
import { skip } from '../../skip.ts'

/** What has to be typed. */
function fixOf(check: () => void): string | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    assert.ok(error instanceof CloudburstError && error.code === 'CB_FILE_UNSAFE', String(error))
    assert.equal(error.next, error.details['fix'])
    return error.next
  }
}

describe('a file that is to be believed', () => {
  let directory: string
  let file: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'safe-'))
    mkdirSync(join(directory, 'etc'))
    file = join(directory, 'etc', 'permissions.xml')
    writeFileSync(file, '<permissions/>', { mode: 0o644 })
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('is only ours to write, by every directory above it', () => {
    assert.equal(
      fixOf(() => checkOnlyOursToWrite(file)),
      undefined
    )
    for (const [path, mode, back] of [
      [file, 0o664, 0o644],
      [file, 0o646, 0o644],
      [join(directory, 'etc'), 0o775, 0o755],
      [directory, 0o777, 0o700]
    ] as const) {
      chmodSync(path, mode)
      assert.equal(
        fixOf(() => checkOnlyOursToWrite(file)),
        `chmod go-w ${path}`
      )
      chmodSync(path, back)
    }
    chmodSync(directory, 0o1777)
    assert.equal(
      fixOf(() => checkOnlyOursToWrite(file)),
      undefined,
      'a sticky directory'
    )
  })

  it('is no link', () => {
    renameSync(file, join(directory, 'real.xml'))
    symlinkSync('../real.xml', file)
    const fix = `rm ${file} && mv ${join(directory, 'real.xml')} ${file}`
    assert.equal(
      fixOf(() => checkOnlyOursToWrite(file)),
      fix
    )
    chmodSync(join(directory, 'real.xml'), 0o600)
    assert.equal(
      fixOf(() => checkOnlyOursToRead(file)),
      fix
    )
  })

  it('is not reached through a link that others may turn elsewhere', () => {
    const open = join(directory, 'open')
    mkdirSync(open)
    symlinkSync('../etc', join(open, 'etc'))
    const through = join(open, 'etc', 'permissions.xml')
    assert.equal(
      fixOf(() => checkOnlyOursToWrite(through)),
      undefined,
      'ours alone'
    )
    chmodSync(open, 0o777)
    assert.equal(
      fixOf(() => checkOnlyOursToWrite(through)),
      `chmod go-w ${open}`
    )
  })

  it('belongs to us or to root', function () {
    if (process.getuid?.() !== 0) skip(this, 'only root can give a file away')
    chownSync(file, 65_534, 65_534)
    assert.equal(
      fixOf(() => checkOnlyOursToWrite(file)),
      `chown 0 ${file}`
    )
    chownSync(file, 0, 0)
    mkdirSync(join(directory, 'links'))
    const link = join(directory, 'links', 'etc')
    symlinkSync('../etc', link)
    lchownSync(link, 65_534, 65_534)
    assert.equal(
      fixOf(() => checkOnlyOursToWrite(join(link, 'permissions.xml'))),
      `chown 0 ${link}`
    )
  })

  it('has a name that is a word of the shell in what is to be typed', () => {
    const odd = join(directory, 'etc', 'a b; reboot.xml')
    writeFileSync(odd, '')
    chmodSync(odd, 0o666)
    assert.equal(
      fixOf(() => checkOnlyOursToWrite(odd)),
      `chmod go-w '${odd}'`
    )
  })
})

describe('a home, before its daemon starts,', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'home-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const whole = () => {
    const home = resolveHome(join(directory, 'home'))
    initHome(home, { name: 'n1' })
    openHome(home)
    for (const path of [home.auditLog, home.personKey, home.handedOn, home.tickets]) writeFileSync(path, '', { mode: 0o600 })
    initAuthority(home.authorities, 'ops')
    writeFileSync(join(home.programs, 'site.xml'), '<cloudburst name="site"/>', { mode: 0o644 })
    return home
  }

  const believed = ['neighborhood', 'permissions', 'programs', 'base', 'state', 'control', 'run'] as const
  for (const what of believed) {
    it(`is refused when others may write ${what}, with what to type`, () => {
      const home = whole()
      chmodSync(home[what], 0o722)
      assert.equal(
        fixOf(() => openHome(home)),
        `chmod go-w ${home[what]}`
      )
    })

    it(`is refused when ${what} is a link`, () => {
      const home = whole()
      const real = join(directory, 'real')
      renameSync(home[what], real)
      symlinkSync(real, home[what])
      assert.equal(
        fixOf(() => openHome(home)),
        `rm ${home[what]} && mv ${real} ${home[what]}`
      )
    })
  }

  const files = ['identityKey', 'auditLog', 'personKey', 'handedOn', 'tickets'] as const
  for (const what of [...files, 'state', 'control', 'run', 'authorities'] as const) {
    it(`is refused when others may read ${what}`, () => {
      const home = whole()
      const mode = files.some(file => file === what) ? '600' : '700'
      chmodSync(home[what], mode === '600' ? 0o640 : 0o750)
      assert.equal(
        fixOf(() => openHome(home)),
        `chmod ${mode} ${home[what]}`
      )
    })
  }

  for (const what of [...files, 'authorities'] as const) {
    it(`is refused when ${what} is a link`, () => {
      const home = whole()
      const real = join(directory, 'real')
      renameSync(home[what], real)
      symlinkSync(real, home[what])
      assert.equal(
        fixOf(() => openHome(home)),
        `rm ${home[what]} && mv ${real} ${home[what]}`
      )
    })
  }

  for (const name of ['ops.key', 'ops.book.json']) {
    it(`is refused when others may read ${name} of an authority`, () => {
      const home = whole()
      const path = join(home.authorities, name)
      chmodSync(path, 0o640)
      assert.equal(
        fixOf(() => openHome(home)),
        `chmod 600 ${path}`
      )
    })
  }

  it('is refused when a program is a link', () => {
    const home = whole()
    const [path, real] = [join(home.programs, 'site.xml'), join(directory, 'real')]
    renameSync(path, real)
    symlinkSync(real, path)
    assert.equal(
      fixOf(() => openHome(home)),
      `rm ${path} && mv ${real} ${path}`
    )
  })

  it('is refused when others may write one of its programs', () => {
    const home = whole()
    chmodSync(join(home.programs, 'site.xml'), 0o666)
    assert.equal(
      fixOf(() => openHome(home)),
      `chmod go-w ${join(home.programs, 'site.xml')}`
    )
  })

  it('is opened when everything is as it was made', () => {
    assert.ok(existsSync(whole().identityKey))
  })
})
