import type { Agency, Calls, Principal, Tree } from '../../node/control/contract.ts'
import { CloudburstError } from '../../errors.ts'
import { oneLine } from '../../goals/render/escape.ts'
import { closest } from '../../goals/render/suggest.ts'
import { valueText } from '../../goals/render/words.ts'
import type { Invocation } from '../arguments.ts'
import { print } from '../io.ts'
import { formatOf, showOne, showRows, type Table } from '../output.ts'
import { daemonOf, homeWords, onePeer, openSession, sessionWith } from '../session.ts'

type Verb = 'get' | 'set' | 'watch' | 'history' | 'why' | 'forget' | 'accept-fork'
const verbs: readonly Verb[] = ['get', 'set', 'watch', 'history', 'why', 'forget', 'accept-fork']

/** A value of this node or, below nodes.NAME, of any other: what it is, was, who says so; and changing it at its owner. */
export async function run(invocation: Invocation): Promise<number> {
  const { command, words, options, assignments } = invocation
  const [first, second, more] = words
  const verb = verbs.find(each => each === first)
  const word = verb === undefined ? first : second
  if ((verb === undefined ? second : more) !== undefined)
    throw new CloudburstError('CB_USAGE', `state takes ${verbs.join(', ')} and one path`, { command })
  if (verb === 'set') return await set(invocation, word)
  if (word === undefined || word === '' || assignments.length > 0)
    throw new CloudburstError('CB_USAGE', 'state needs a path, e.g. nodes.node2.agents; state set PATH=VALUE changes one', { command })
  const { agency, by } = await openSession(invocation)
  switch (verb ?? (options.watch ? 'watch' : 'get')) {
    case 'get':
      return await get(invocation, agency, by, word)
    case 'watch':
      return await watch(invocation, agency, by, word)
    case 'history':
      return await history(invocation, agency, by, word)
    case 'why':
      return await why(invocation, agency, by, word)
    case 'forget': {
      const { name, peer } = await agency.call('forget', { node: word, ...(options.why !== undefined && { why: options.why }) }, by)
      await showOne(invocation, { name, peer }, name, () => [`${name} (${peer}) is forgotten; should it come back, it is a new node`])
      return 0
    }
    case 'accept-fork': {
      const { name, peer } = await agency.call('acceptfork', { node: word }, by)
      await showOne(invocation, { name, peer }, name, () => [`${name} (${peer}) is believed again from its next start on`])
      return 0
    }
  }
}

async function get(invocation: Invocation, agency: Agency, by: Principal, path: string): Promise<number> {
  const { value } = await agency.call('state', { path }, by)
  if (value === undefined) throw await undefinedAt(path, agency, by)
  await showOne(invocation, value, path, () => treeLines(path, value))
  return 0
}

/** With what was meant, and the longest beginning of the path that has a value. */
async function undefinedAt(path: string, agency: Agency, by: Principal): Promise<CloudburstError> {
  for (let end = path.lastIndexOf('.'); end > 0; end = path.lastIndexOf('.', end - 1)) {
    const within = path.slice(0, end)
    const { value } = await agency.call('state', { path: within }, by)
    if (value === undefined) continue
    const wrong = path.slice(end + 1).split('.')[0]!
    const near = 'fields' in value ? closest(wrong, Object.keys(value.fields)) : undefined
    const meant =
      near === undefined
        ? ''
        : ` (did you mean ${[
            within,
            near,
            ...path
              .slice(end + 1)
              .split('.')
              .slice(1)
          ].join('.')}?)`
    return new CloudburstError('CB_VALUE_INVALID', `${path} is undefined${meant}`, { path, within })
  }
  return new CloudburstError('CB_VALUE_INVALID', `${path} is undefined`, { path, within: 'nodes' })
}

async function watch(invocation: Invocation, agency: Agency, by: Principal, path: string): Promise<number> {
  const { io, options } = invocation
  const raw = formatOf(invocation) === 'json'
  const request = { path, ...(options.cursor !== undefined && { cursor: options.cursor }) }
  try {
    for await (const item of agency.stream('watch', request, by, io.interrupted)) {
      const line = raw
        ? JSON.stringify(item)
        : `${new Date(item.at).toISOString()} ${oneLine(item.path)} = ${item.value === undefined ? '(undefined)' : valueText(item.value, 200)}`
      print(io.stdout, [line])
    }
  } catch (error) {
    // Ctrl-C is how a watch ends.
    if (!io.interrupted.aborted) throw error
  }
  return 0
}

type Changed = Calls['history']['reply']['changes'][number]
const historyTable: Table<Changed> = {
  columns: [
    { title: 'AT', of: ({ at }) => new Date(at).toISOString() },
    { title: 'PATH', of: ({ path }) => path },
    { title: 'VALUE', of: ({ value }) => (value === undefined ? '(undefined)' : valueText(value, 200)) }
  ],
  name: ({ path }) => path,
  empty: 'no change of it is remembered'
}

async function history(invocation: Invocation, agency: Agency, by: Principal, path: string): Promise<number> {
  const { changes } = await agency.call('history', { path }, by)
  await showRows(invocation, changes, historyTable)
  return 0
}

type Explained = Calls['explain']['reply']['values'][number]
const whyTable: Table<Explained> = {
  columns: [
    { title: 'PATH', of: ({ path }) => path },
    { title: 'VALUE', of: ({ value }) => valueText(value, 80) },
    { title: 'REVISION', of: ({ revision }) => revision },
    { title: 'SINCE', of: ({ at }) => new Date(at).toISOString() },
    { title: 'GOAL', of: ({ goal }) => goal },
    { title: 'SIGNED BY', of: ({ origin }) => origin },
    { title: 'RECORD', of: ({ boot, seq }) => `${boot}/${seq}`, wide: true }
  ],
  name: ({ path }) => path,
  empty: 'nobody says anything about it'
}

async function why(invocation: Invocation, agency: Agency, by: Principal, path: string): Promise<number> {
  const { values, forks } = await agency.call('explain', { path }, by)
  await showRows(invocation, values, whyTable)
  for (const { name, origin } of forks)
    print(invocation.io.stderr, [
      `two nodes publish as ${oneLine(name)} (${origin}): nothing of it is believed`,
      `next: cloudburst state accept-fork ${origin}`
    ])
  return 0
}

/** `state set PATH=VALUE…` at the owner of the paths; `--unset PATH` removes, `--revision N` only if nobody was quicker. */
async function set(invocation: Invocation, word: string | undefined): Promise<number> {
  const { command, assignments, options } = invocation
  const revision = options.revision === undefined ? undefined : Number(options.revision)
  const changes = [...assignments.map(({ path, value }) => ({ path, value })), ...(options.unset ?? []).map(path => ({ path }))]
  if (word !== undefined || changes.length === 0) throw new CloudburstError('CB_USAGE', 'state set needs PATH=VALUE', { command })
  if (revision !== undefined && (changes.length > 1 || !Number.isSafeInteger(revision) || revision < 0))
    throw new CloudburstError('CB_USAGE', '--revision takes the number that state why shows, of the one path that is set', { command })
  const owners = [...new Set(changes.map(({ path }) => /^nodes\.([^.]+)\../.exec(path)?.[1]))]
  if (owners.length > 1)
    throw new CloudburstError('CB_USAGE', `these paths belong to ${owners.length} nodes: set them one by one`, { command })
  const client = daemonOf(invocation)
  const home = homeWords(invocation)
  const peer = onePeer(invocation) ?? (await elsewhere(sessionWith(client, undefined, home), owners[0]))
  const { agency, by } = sessionWith(client, peer, home)
  const asked = changes.map(change => ({ ...change, ...(revision !== undefined && { revision }) }))
  const { changes: done } = await agency.call('update', { changes: asked }, by)
  await showOne(invocation, done, done[0]?.path ?? '', () => done.map(each => `${oneLine(each.path)} is at revision ${each.revision}`))
  return 0
}

/** The owner, unless this node is it. */
async function elsewhere({ agency, by }: { agency: Agency; by: Principal }, owner: string | undefined): Promise<string | undefined> {
  if (owner === undefined) return undefined
  return (await agency.call('hello', {}, by)).name === owner ? undefined : owner
}

/** `path = value`, one leaf a line. */
function treeLines(path: string, tree: Tree): string[] {
  if (tree.fields !== undefined) return Object.entries(tree.fields).flatMap(([name, field]) => treeLines(`${path}.${name}`, field))
  if (tree.items !== undefined) return tree.items.flatMap((item, at) => treeLines(`${path}[${at}]`, item))
  return [`${oneLine(path)} = ${valueText(tree, 200)}`]
}
