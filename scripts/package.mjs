/**
 * One self-contained tree for hosts that have nothing but a shell: the programs with their own Node, as a tar file that is
 * the same bytes wherever and whenever it is made of the same sources.
 *   npm run package                          artefacts/cloudburst-VERSION-linux-x64.tar.gz
 *   npm run package -- --target linux-arm64
 *   npm run package -- --out DIR
 *   npm run package -- --npm             only the npm package
 *   npm run package -- --rpm             also an RPM and a yum repository, in artefacts/rpm
 *   npm run package -- --rpm --sign KEY  signed by a key of GnuPG, in $GNUPGHOME or ~/.gnupg
 *   npm run package -- --deb             also a package of Debian, in artefacts/deb
 *   npm run package -- --as VERSION     called so, instead of what package.json says: for trying upgrades
 *   npm run package -- --quick           larger and sooner: for tests
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { homedir } from 'node:os'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import { contents } from './package/contents.mjs'
import { makeDeb } from './package/deb.mjs'
import { makeNpm } from './package/npm.mjs'
import { makeRpm } from './package/rpm.mjs'
import { runtimeFiles, runtimes } from './package/runtime.mjs'
import { hashOfSources, lastBuild, root } from './sources.mjs'

/** Time of every file: 2000-01-01. No time at all makes tar complain. */
const MTIME = new Date(946_684_800_000)

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true, default: ['linux-x64'] },
    out: { type: 'string', default: join(root, 'artefacts') },
    as: { type: 'string' },
    npm: { type: 'boolean' },
    rpm: { type: 'boolean' },
    deb: { type: 'boolean' },
    sign: { type: 'string' },
    quick: { type: 'boolean' },
    'no-build': { type: 'boolean' }
  }
})

if (!values['no-build'] && lastBuild()?.sources !== hashOfSources()) {
  const built = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' })
  if (built.status !== 0) process.exit(1)
}
mkdirSync(values.out, { recursive: true })
if (values.npm) console.log(`package: ${makeNpm(values.out)}`)
else for (const target of values.target) await make(target)

async function make(target) {
  const started = performance.now()
  const version = values.as ?? JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version
  const files = [...(await runtimeFiles(target)), ...contents(target)]
  files.push({ path: 'RELEASE.json', mode: 0o644, bytes: Buffer.from(release(version, target)) })
  files.sort((a, b) => (a.path < b.path ? -1 : 1))
  const manifest = Buffer.from(files.map(({ path, bytes }) => `${sha256(bytes)}  ${path}\n`).join(''))
  const id = `${version}-${sha256(manifest).slice(0, 12)}`
  const name = `cloudburst-${version}-${target}.tar.gz`
  const beside = join(values.out, `.${name}.${process.pid}`)
  const hash = await write(beside, [{ path: 'MANIFEST', mode: 0o644, bytes: manifest }, ...files], id)
  renameSync(beside, join(values.out, name))
  writeFileSync(join(values.out, `${name}.sha256`), `${hash.sha256}  ${name}\n`)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`package: ${join(values.out, name)}, release ${id}, ${(hash.bytes / 1e6).toFixed(1)} MB, sha256 ${hash.sha256}, ${seconds} s`)
  const made = { artefact: join(values.out, name), id, version, target, out: values.out }
  if (values.deb) console.log(`package: ${makeDeb({ ...made, quick: values.quick })}`)
  if (!values.rpm) return
  const sign = values.sign === undefined ? undefined : { key: values.sign, home: process.env.GNUPGHOME || join(homedir(), '.gnupg') }
  console.log(`package: ${makeRpm({ ...made, sign })}`)
}

/** What a release says about itself; its id is the hash of its manifest, which lists this too. */
function release(version, target) {
  return `${JSON.stringify({ name: 'cloudburst', version, target, node: runtimes.version, glibc: runtimes.glibc }, null, 2)}\n`
}

async function write(path, files, id) {
  const tar = pack()
  const gzip = createGzip({ level: values.quick ? 1 : 6 })
  tar.pipe(gzip)
  for (const { path: name, mode, bytes } of files) {
    tar.entry({ name: `${id}/${name}`, mode, mtime: MTIME, uid: 0, gid: 0, uname: 'root', gname: 'root' }, bytes)
  }
  tar.finalize()
  const hash = createHash('sha256')
  const chunks = []
  for await (const chunk of gzip) {
    hash.update(chunk)
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  writeFileSync(path, bytes)
  return { sha256: hash.digest('hex'), bytes: bytes.length }
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}
