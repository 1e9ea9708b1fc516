/** Text files of this machine, for statements that look at one or edit it in place. */
import { createReadStream } from 'node:fs'
import { readFile, realpath, stat } from 'node:fs/promises'
import { type Files, type FoundText, TEXT_BYTES_MAX } from '../../goals/ports.ts'
import { replaceWhole } from '../files/atomic-file.ts'

/** Mode of a file that was not there before: what an administrator would give it. */
const NEW_MODE = 0o644

/** The files of this machine. */
export const textFiles: Files = { readText, replaceText }

/** See {@link Files.readText}. */
export async function readText(path: string): Promise<FoundText> {
  try {
    const found = await stat(path)
    if (!found.isFile()) return { kind: 'unreadable', reason: found.isDirectory() ? 'it is a directory' : 'it is not a plain file' }
    if (found.size > TEXT_BYTES_MAX) return { kind: 'unreadable', reason: `it is longer than ${TEXT_BYTES_MAX} bytes` }
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(path))
    return text.includes('\0') ? { kind: 'unreadable', reason: 'it is not text' } : { kind: 'text', text }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return { kind: 'absent' }
    return { kind: 'unreadable', reason: code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is not UTF-8' : message }
  }
}

async function replaceText(path: string, text: string): Promise<void> {
  const target = await realpath(path).catch(() => path)
  const old = await stat(target).catch(() => undefined)
  // The backup is what was there before the first change of this content, a copy with the same mode.
  if (old !== undefined) await backUp(target, old)
  await replaceWhole(target, text, old === undefined ? { mode: NEW_MODE } : { mode: old.mode & 0o7777, owner: old })
}

async function backUp(target: string, { uid, gid, mode }: { uid: number; gid: number; mode: number }): Promise<void> {
  await replaceWhole(`${target}.cb-backup`, into => into.writeFile(createReadStream(target)), {
    mode: mode & 0o7777,
    owner: { uid, gid },
    durable: 'content'
  })
}
