import type { Tree } from '../../node/control/contract.ts'
import { CloudburstError } from '../../errors.ts'
import { oneLine } from '../../goals/render/escape.ts'
import { valueText } from '../../goals/render/words.ts'
import { type Invocation, onlyWord } from '../arguments.ts'
import { formatOf, showOne } from '../output.ts'
import { openSession } from '../session.ts'

/** A value of this node or, below nodes.NAME, of any other; with `--watch`, each change of it as a line. */
export async function run(invocation: Invocation): Promise<number> {
  const path = onlyWord(invocation, 'a path, e.g. nodes.node2.agents')
  const { agency, by } = await openSession(invocation)
  if (!invocation.options.watch) {
    const { value } = await agency.call('state', { path }, by)
    if (value === undefined) throw new CloudburstError('CB_VALUE_INVALID', `${path} is undefined`)
    await showOne(invocation, value, path, () => treeLines(path, value))
    return 0
  }
  const raw = formatOf(invocation) === 'json'
  try {
    for await (const item of agency.stream('watch', { path }, by, invocation.io.interrupted)) {
      const line = raw
        ? JSON.stringify(item)
        : `${new Date(item.at).toISOString()} ${oneLine(item.path)} = ${item.value === undefined ? '(undefined)' : valueText(item.value, 200)}`
      invocation.io.stdout.write(`${line}\n`)
    }
  } catch (error) {
    // Ctrl-C is how a watch ends.
    if (!invocation.io.interrupted.aborted) throw error
  }
  return 0
}

/** `path = value`, one leaf a line. */
function treeLines(path: string, tree: Tree): string[] {
  if (tree.fields !== undefined) return Object.entries(tree.fields).flatMap(([name, field]) => treeLines(`${path}.${name}`, field))
  if (tree.items !== undefined) return tree.items.flatMap((item, at) => treeLines(`${path}[${at}]`, item))
  return [`${oneLine(path)} = ${valueText(tree, 200)}`]
}
