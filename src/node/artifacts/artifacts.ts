/** Files that this node keeps by what is in them. A file is whole and verified, or has `.part` behind its name. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, isAbsolute, join } from 'node:path'
import { CloudburstError } from '../../errors.ts'
import type { Held, Holdings } from '../../protocols/artifact/server.ts'

/** Most bytes that are kept: a tenth of a small server's disk; more is refused, not evicted, since somebody may count on it. */
export const KEPT_BYTES_MAX = 20 * 1024 ** 3
/** Bytes that come before they are brought to disk while more comes. */
const SYNC_EVERY_BYTES = 16 * 1024 ** 2
/** Longest name that is remembered, in characters. */
const NAME_CHARS_MAX = 255
const HASH = /^[0-9a-f]{64}$/

export interface Artifact {
  /** SHA-256, hex. */
  readonly hash: string
  readonly size: number
  /** What it was called where it was made; never a path. */
  readonly name: string
  /** Epoch milliseconds. */
  readonly at: number
}

/** A file on its way here. */
export interface Arriving {
  /** Bytes that are here. */
  readonly offset: number
  write(bytes: Uint8Array): Promise<void>
  /** Closes it; what came stays for the next try. */
  close(): Promise<void>
  /** Verifies and keeps it. @throws CloudburstError CB_SIGNATURE_INVALID when it is another file: it is removed */
  finish(name: string): Promise<Artifact>
}

export interface Artifacts extends Holdings {
  /** Takes a copy of a file of this machine. Durable on return. @throws CloudburstError CB_USAGE, CB_STORE_DEGRADED */
  put(path: string): Promise<Artifact>
  list(): readonly Artifact[]
  find(hash: string): Artifact | undefined
  /** Where a kept file is; not to be written to. */
  path(hash: string): string
  arrive(hash: string): Promise<Arriving>
  /** @throws CloudburstError CB_STORE_DEGRADED when so many more bytes are more than is kept */
  makeRoom(bytes: number): void
  drop(hash: string): Promise<void>
  /** Called after each change. @returns ends it */
  onChange(listener: () => void): () => void
}

/** Reads what is kept in `directory`. */
export async function openArtifacts(directory: string, now: () => number): Promise<Artifacts> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const kept = new Map<string, Artifact>()
  for (const file of await readdir(directory)) {
    const hash = file.endsWith('.json') ? file.slice(0, -'.json'.length) : ''
    if (!HASH.test(hash)) continue
    const known = await readFile(join(directory, file), 'utf8').then(
      text => JSON.parse(text) as Artifact,
      () => undefined
    )
    if (known?.hash === hash && (await sizeOf(join(directory, hash))) === known.size) kept.set(hash, known)
  }
  const listeners = new Set<() => void>()
  const at = (hash: string): string => {
    if (!HASH.test(hash)) throw new CloudburstError('CB_USAGE', `${hash.slice(0, 80)} is not the SHA-256 of a file, in hex`)
    return join(directory, hash)
  }
  const makeRoom = (bytes: number): void => {
    const total = [...kept.values()].reduce((sum, { size }) => sum + size, 0)
    if (total + bytes > KEPT_BYTES_MAX)
      throw new CloudburstError(
        'CB_STORE_DEGRADED',
        `${total} bytes of artifacts are kept, and ${bytes} more are too many: drop some first`,
        {
          home: directory
        }
      )
  }
  const keep = async (hash: string, size: number, name: string): Promise<Artifact> => {
    const artifact = { hash, size, name: basename(name).slice(0, NAME_CHARS_MAX), at: now() }
    await writeFile(`${at(hash)}.json`, JSON.stringify(artifact), { mode: 0o600, flush: true })
    kept.set(hash, artifact)
    for (const listener of listeners) listener()
    return artifact
  }
  return {
    put: async path => {
      if (!isAbsolute(path)) throw new CloudburstError('CB_USAGE', `${path} is not an absolute path`)
      const size = await sizeOf(path)
      if (size === undefined) throw new CloudburstError('CB_USAGE', `${path} is not a file that this node can read`)
      makeRoom(size)
      // Hashed as it was copied: somebody may write to the original meanwhile.
      const copy = join(directory, `put-${now()}-${Math.random().toString(36).slice(2)}.part`)
      try {
        await copyFile(path, copy)
        const hash = await hashOf(copy)
        const known = kept.get(hash)
        if (known !== undefined) return known
        await synced(copy)
        await rename(copy, at(hash))
        return await keep(hash, (await sizeOf(at(hash))) ?? size, path)
      } finally {
        await rm(copy, { force: true })
      }
    },
    list: () => [...kept.values()].sort((a, b) => b.at - a.at),
    find: hash => kept.get(hash),
    path: at,
    makeRoom,
    arrive: async hash => await arriving(at(hash), hash, keep),
    open: async hash => (kept.has(hash) ? await held(at(hash)) : undefined),
    drop: async hash => {
      if (!kept.delete(hash)) throw new CloudburstError('CB_ARTIFACT_UNKNOWN', `no file ${hash.slice(0, 12)} is kept here`, { hash })
      await rm(`${at(hash)}.json`, { force: true })
      await rm(at(hash), { force: true })
      for (const listener of listeners) listener()
    },
    onChange: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  }
}

async function arriving(
  path: string,
  hash: string,
  keep: (hash: string, size: number, name: string) => Promise<Artifact>
): Promise<Arriving> {
  const part = `${path}.part`
  const file = await open(part, 'a', 0o600)
  let offset = (await file.stat()).size
  // What comes in one go is hashed as it comes; the rest of an earlier try has to be read again.
  const running = offset === 0 ? createHash('sha256') : undefined
  const syncing = aheadOf(file, offset)
  return {
    get offset() {
      return offset
    },
    write: async bytes => {
      const written = writeWhole(file, bytes)
      // While it is being written.
      running?.update(bytes)
      await written
      offset += bytes.byteLength
      syncing.reached(offset)
    },
    close: () => file.close(),
    finish: async name => {
      await syncing.done()
      await file.sync()
      if ((running?.digest('hex') ?? (await hashOf(part))) !== hash) {
        await rm(part, { force: true })
        throw new CloudburstError('CB_SIGNATURE_INVALID', `what came is not the file ${hash.slice(0, 12)}`, { hash })
      }
      await rename(part, path)
      return await keep(hash, offset, name)
    }
  }
}

async function writeWhole(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) at += (await file.write(bytes, at)).bytesWritten
}

/** Brings to disk what has come while more comes, so that little is left to wait for at the end. */
function aheadOf(file: FileHandle, from: number): { reached(offset: number): void; done(): Promise<void> } {
  let begun = from
  let running: Promise<void> | undefined
  let failure: unknown
  return {
    reached: offset => {
      if (running !== undefined || offset - begun < SYNC_EVERY_BYTES) return
      begun = offset
      running = file.datasync().then(
        () => void (running = undefined),
        // The disk says it once.
        (error: unknown) => void (failure = error)
      )
    },
    done: async () => {
      await running
      if (failure !== undefined) throw failure
    }
  }
}

async function held(path: string): Promise<Held> {
  const file = await open(path, 'r')
  const { size } = await file.stat()
  return {
    size,
    read: async (offset, length) => {
      const buffer = Buffer.allocUnsafe(Math.min(length, Math.max(0, size - offset)))
      const { bytesRead } = await file.read(buffer, 0, buffer.length, offset)
      return buffer.subarray(0, bytesRead)
    },
    close: () => file.close()
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

async function synced(path: string): Promise<void> {
  const file = await open(path, 'r')
  await file.sync().finally(() => file.close())
}

async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined)
  return found?.isFile() === true ? found.size : undefined
}
