/** The programs that come with the product. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Program, SourceFile } from '../../goals/program/model.ts'
import { readProgram } from '../../goals/program/read.ts'

/** Each file of `directory` is a program; one may include another that lies beside it. None when there is no such directory. */
export async function shippedIn(
  directory: string,
  before: readonly SourceFile[]
): Promise<readonly { readonly name: string; readonly read: () => Program }[]> {
  const names = (await readdir(directory).catch(() => [])).filter(name => name.endsWith('.xml')).sort()
  const files = await Promise.all(names.map(async name => ({ name, text: await readFile(join(directory, name), 'utf8') })))
  const include = (included: string): SourceFile | undefined => files.find(({ name }) => name === included)
  return files.map(file => ({ name: file.name, read: () => readProgram([file], { include, before }) }))
}
