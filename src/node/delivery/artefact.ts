/** The artefact of `npm run package`: what release it is, and the part of it that a host does not have yet. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { createGunzip, createGzip } from 'node:zlib'
import { extract, pack } from 'tar-stream'
import { CloudburstError } from '../../errors.ts'

export interface Artefact {
  readonly path: string
  /** `VERSION-HASH`, the name of its folder. */
  readonly id: string
  /** Lines `SHA256  PATH` of everything in it. */
  readonly manifest: string
  /** What it is for, e.g. `linux-x64`. */
  readonly target: string
  readonly bytes: number
  /** Bytes that it takes unpacked, at most. */
  readonly unpackedBytes: number
}

/** Largest text inside that is read whole. */
const TEXT_BYTES_MAX = 1024 * 1024
/** Unpacked, a release takes so many times its archive: measured 2.7. */
const UNPACKED_FACTOR = 3

/**
 * The artefacts at hand: a file, or those of a folder by target.
 * @throws CloudburstError CB_ARTEFACT_MISSING
 */
export async function artefactsAt(path: string): Promise<readonly Artefact[]> {
  const files = !existsSync(path)
    ? []
    : statSync(path).isDirectory()
      ? readdirSync(path)
          .filter(name => /^cloudburst-.*\.tar\.gz$/.test(name))
          .map(name => join(path, name))
      : [path]
  if (files.length === 0) throw new CloudburstError('CB_ARTEFACT_MISSING', `there is nothing to deliver at ${path}`, { path })
  return await Promise.all(files.map(read))
}

/**
 * Where artefacts are when nobody says: with an installed release those that it was installed from; in a clone what was packaged there.
 * @param program path of the program that runs, links followed
 */
export function artefactFolder(program: string): string {
  const tree = dirname(dirname(dirname(program)))
  return existsSync(join(tree, 'MANIFEST')) ? join(dirname(dirname(tree)), 'artefacts') : join(dirname(dirname(program)), 'artefacts')
}

async function read(path: string): Promise<Artefact> {
  let id: string | undefined
  let manifest: string | undefined
  let target: string | undefined
  try {
    for await (const { name, body } of entriesOf(path)) {
      const [folder = '', ...rest] = name.split('/')
      id ??= folder
      if (rest.join('/') === 'MANIFEST') manifest = (await body()).toString('utf8')
      // Sorted by name, with the manifest first: it comes before anything large.
      if (rest.join('/') === 'RELEASE.json') target = String((JSON.parse((await body()).toString('utf8')) as { target?: unknown }).target)
      if (manifest !== undefined && target !== undefined) break
    }
  } catch (error) {
    throw new CloudburstError('CB_ARTEFACT_MISSING', `${path} is no artefact`, { path }, error)
  }
  const bytes = statSync(path).size
  const hash = createHash('sha256')
    .update(manifest ?? '')
    .digest('hex')
  if (id === undefined || manifest === undefined || target === undefined || !id.endsWith(`-${hash.slice(0, 12)}`))
    throw new CloudburstError('CB_ARTEFACT_MISSING', `${path} is no artefact, or not whole`, { path })
  return { path, id, manifest, target, bytes, unpackedBytes: bytes * UNPACKED_FACTOR }
}

/**
 * The package that was made of an artefact: in `rpm/` beside it.
 * @throws CloudburstError CB_ARTEFACT_MISSING
 */
export function rpmOf({ path, id, target }: Artefact): string {
  const version = id.slice(0, id.lastIndexOf('-')).replaceAll('-', '~')
  const file = join(dirname(path), 'rpm', `cloudburst-${version}-1.${target === 'linux-arm64' ? 'aarch64' : 'x86_64'}.rpm`)
  if (!existsSync(file))
    throw new CloudburstError('CB_ARTEFACT_MISSING', `there is no package at ${file}: npm run package -- --rpm`, { path: file })
  return file
}

/** The artefact without the files that a release with that manifest has: a gzipped tar, to be read once. */
export function missingFrom(artefact: Artefact, there: string): Readable {
  const known = new Set(there.split('\n'))
  const same = new Set(
    artefact.manifest.split('\n').flatMap(line => (line !== '' && known.has(line) ? [`${artefact.id}/${line.slice(66)}`] : []))
  )
  const tar = pack()
  const out = tar.pipe(createGzip())
  const fill = async (): Promise<void> => {
    for await (const { header, name, body } of entriesOf(artefact.path)) {
      if (!same.has(name)) tar.entry(header, await body(Number.POSITIVE_INFINITY))
    }
    tar.finalize()
  }
  void fill().catch(error => out.destroy(error))
  return Readable.from(out)
}

/** sha256 of the archive, as sha256sum prints it. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}

async function* entriesOf(path: string) {
  const source = createReadStream(path)
  const entries = extract()
  source.on('error', error => entries.destroy(error))
  source
    .pipe(createGunzip())
    .on('error', error => entries.destroy(error))
    .pipe(entries)
  try {
    for await (const entry of entries) {
      let taken = false
      const body = async (max = TEXT_BYTES_MAX): Promise<Buffer> => {
        taken = true
        const chunks: Buffer[] = []
        let size = 0
        for await (const chunk of entry) {
          size += (chunk as Buffer).length
          if (size > max) throw new Error(`${entry.header.name} is longer than ${max} bytes`)
          chunks.push(chunk as Buffer)
        }
        return Buffer.concat(chunks)
      }
      yield { header: entry.header, name: entry.header.name, body }
      if (!taken) entry.resume()
    }
  } finally {
    source.destroy()
  }
}
