import { resolve } from 'node:path'
import type { ArtifactInfo } from '../../node/control/contract.ts'
import { CloudburstError } from '../../errors.ts'
import type { Invocation } from '../arguments.ts'
import { showOne, showRows, type Table } from '../output.ts'
import { daemonOf, onePeer } from '../session.ts'

const table: Table<ArtifactInfo> = {
  columns: [
    { title: 'NAME', of: ({ name }) => name },
    { title: 'BYTES', of: ({ size }) => size },
    { title: 'ON', of: ({ on }) => on.join(' ') },
    { title: 'HERE', of: ({ path }) => path },
    { title: 'SHA-256', of: ({ hash }) => hash }
  ],
  name: ({ hash }) => `sha256:${hash}`,
  empty: 'no files; cloudburst artifact put FILE keeps one'
}

/** Files that go from node to node, by what is in them. */
export async function run(invocation: Invocation): Promise<number> {
  const { command, words, files } = invocation
  const [verb, ...rest] = words
  // A name that ends in .xml was taken for a program.
  const [word, to, more] = [...rest, ...files]
  const client = daemonOf(invocation)
  const one = async (file: ArtifactInfo, ...shown: string[]): Promise<number> => {
    await showOne(invocation, file, `sha256:${file.hash}`, () => shown)
    return 0
  }
  if (more !== undefined) throw new CloudburstError('CB_USAGE', `artifact ${verb} takes no word ${more}`, { command })
  if (verb === 'list' && word === undefined) {
    await showRows(invocation, await client.local('artifacts', {}), table)
    return 0
  }
  if (word === undefined) throw new CloudburstError('CB_USAGE', 'artifact takes put FILE, get HASH [FILE], drop HASH, or list', { command })
  switch (verb) {
    case 'put': {
      const file = await client.local('keepfile', { path: resolve(word) })
      return await one(file, `sha256:${file.hash}`)
    }
    case 'get': {
      const peer = onePeer(invocation)
      const file = await client.local('fetchfile', {
        hash: word,
        ...(peer !== undefined && { peer }),
        ...(to !== undefined && { to: resolve(to) })
      })
      return await one(file, file.path ?? '')
    }
    case 'drop':
      await client.local('dropfile', { hash: word })
      return 0
    default:
      throw new CloudburstError('CB_USAGE', `artifact takes put, get, drop or list, not ${verb}`, { command })
  }
}
