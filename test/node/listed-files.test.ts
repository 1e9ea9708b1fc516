import assert from 'node:assert/strict'
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FactQuery } from '../../src/goals/ports.ts'
import type { FileTest } from '../../src/goals/program/model.ts'
import { seenTogether } from '../../src/node/listed-files.ts'
import { machineProbe } from '../../src/node/probe.ts'
import { temporaryDirectory } from './store/temporary-directory.ts'

const TESTS: readonly FileTest[] = ['exists', 'file', 'directory', 'executable']

describe('files of one directory that are looked at together', () => {
  const temporary = temporaryDirectory()
  const probe = machineProbe({ state: () => undefined, now: Date.now })

  /** Forty plain files and one of each other kind, each asked about in every way; before and after them files that nobody asks about. */
  function many(besides = 0): { readonly directory: string; readonly queries: readonly FactQuery[] } {
    const directory = temporary()
    const others = (which: string): void => {
      for (let at = 0; at < besides; at++) writeFileSync(join(directory, `${which} ${at}`), '')
    }
    others('before')
    const plain = Array.from({ length: 40 }, (_, at) => `plain ${at}`)
    for (const name of plain) writeFileSync(join(directory, name), '', { mode: name.endsWith('7') ? 0o755 : 0o644 })
    mkdirSync(join(directory, 'folder'))
    linkSync(join(directory, 'plain 1'), join(directory, 'second name'))
    symlinkSync('plain 1', join(directory, 'link'))
    symlinkSync('nowhere', join(directory, 'dangling'))
    symlinkSync('.', join(directory, 'here'))
    others('after')
    const odd = ['folder', 'second name', 'link', 'dangling', 'here', 'missing', '.', '..', '', 'PLAIN 1', 'plain 1/', './plain 1']
    const queries = [...plain, ...odd, ...odd.map(name => `here/${name}`)].flatMap(name =>
      TESTS.map((test): FactQuery => ({ kind: 'file', test, path: `${directory}/${name}` }))
    )
    return { directory, queries }
  }

  it('are what each of them is that is looked at by itself', async () => {
    const { queries } = many()
    const single = await Promise.all(queries.map(query => probe.gather([query])))
    assert.deepEqual(await probe.gather(queries), single.flat())
  })

  it('are plain files: of all others nothing is told', async () => {
    const { queries } = many()
    const seen = await seenTogether(queries)
    const told = new Set(
      [...seen.keys()].map(at => queries[at]).map(query => (query?.kind === 'file' ? query.path.replace(/.*\//, '') : ''))
    )
    assert.equal(told.size, 41, [...told].join())
    assert.ok([...told].every(name => name.startsWith('plain ') || name === 'second name'))
  })

  it('are not worth a listing where they are few, or a small part of what is there', async () => {
    const { queries } = many(500)
    assert.equal((await seenTogether(queries)).size, 0)
    const few = queries.slice(0, 16)
    assert.equal((await seenTogether([...few, ...few, ...few])).size, 0)
  })

  it('are looked at one by one where there is nothing to list', async () => {
    const gone = Array.from({ length: 40 }, (_, at): FactQuery => ({ kind: 'file', test: 'exists', path: `${temporary()}/gone/${at}` }))
    assert.deepEqual(
      await probe.gather(gone),
      gone.map(() => ({ kind: 'bool', value: false }))
    )
  })
})
