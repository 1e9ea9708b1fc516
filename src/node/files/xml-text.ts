/** Adding to XML files that people keep: their comments and layout stay. */
import { readFileSync, statSync } from 'node:fs'
import { CloudburstError } from '../../errors.ts'
import { replaceFile } from './atomic-file.ts'
import { alone } from './alone.ts'
import { checkOnlyOursToWrite } from './file-safety.ts'

/**
 * Inserts `lines` as last children of the root element, each indented by two spaces; everything else stays as it is.
 * The result is read before it is put in place. Durable on return.
 *
 * @throws CloudburstError CB_FILE_UNSAFE; and whatever `read` throws about the result, which then is not written
 */
export function insertIntoRoot(path: string, root: string, lines: readonly string[], read: (text: string, path: string) => unknown): void {
  checkOnlyOursToWrite(path)
  alone(path, () => {
    const after = inserted(readFileSync(path, 'utf8'), root, lines)
    if (after === undefined) throw new CloudburstError('CB_XML_INVALID', `${path}: <${root}> is never closed`)
    read(after, path)
    replaceFile(path, after, statSync(path).mode & 0o777)
  })
}

/**
 * Removes what `element` matches; everything else stays as it is, and nothing is written when there is nothing to remove.
 * The result is read before it is put in place. Durable on return.
 *
 * @throws CloudburstError CB_FILE_UNSAFE; and whatever `read` throws about the result, which then is not written
 */
export function removeElements(path: string, element: RegExp, read: (text: string, path: string) => unknown): void {
  checkOnlyOursToWrite(path)
  alone(path, () => {
    const before = readFileSync(path, 'utf8')
    const after = before.replace(element, '')
    if (after === before) return
    read(after, path)
    replaceFile(path, after, statSync(path).mode & 0o777)
  })
}

function inserted(text: string, root: string, lines: readonly string[]): string | undefined {
  const block = lines.map(line => `  ${line}\n`).join('')
  // What stands in a comment is no tag.
  const tags = text.replace(/<!--[\s\S]*?-->/g, comment => ' '.repeat(comment.length))
  const end = tags.lastIndexOf(`</${root}`)
  if (end !== -1) {
    const head = text.slice(0, end)
    return `${head}${head.endsWith('\n') ? '' : '\n'}${block}${text.slice(end)}`
  }
  const empty = new RegExp(`<${root}(\\s[^<]*)?/>`).exec(tags)
  if (empty === null) return undefined
  return `${text.slice(0, empty.index)}<${root}${(empty[1] ?? '').trimEnd()}>\n${block}</${root}>${text.slice(empty.index + empty[0].length)}`
}
