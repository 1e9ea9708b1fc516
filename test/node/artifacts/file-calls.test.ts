import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { openArtifacts } from '../../../src/node/artifacts/artifacts.ts'
import { fileFinder, holdersOf, keepFileIn } from '../../../src/node/artifacts/file-calls.ts'
import type { PeerInfo } from '../../../src/node/control/contract.ts'

const HASH = 'a'.repeat(64)
const peer = (name: string, status: PeerInfo['status'], roundTripMs?: number): PeerInfo => ({
  peer: `p-${name}`,
  name,
  labels: {},
  status,
  addresses: [],
  static: true,
  since: 0,
  may: [],
  mayThere: [],
  ...(roundTripMs !== undefined && { roundTripMs })
})
const saying = (...names: string[]) => ({
  fields: Object.fromEntries(
    names.map(name => [
      name,
      { fields: { artifacts: { fields: { [HASH]: { fields: { name: { value: 'build' }, size: { value: 3 } } } } } } }
    ])
  )
})

describe('nodes that are asked for a file', () => {
  it('are those that say that they have it, the nearest first, then others that are there, since news may be on its way', () => {
    const peers = [peer('away', 'away'), peer('far', 'up', 90), peer('near', 'up', 2), peer('quiet', 'up', 1), peer('gone', 'away')]
    const asked = holdersOf(HASH, saying('away', 'far', 'near'), peers)
    assert.deepEqual(
      asked.map(({ node }) => node),
      ['near', 'far', 'away', 'quiet']
    )
  })
})

describe('a file that a step names', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cb-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('is kept under its hash, found again without being fetched, and asked for only by whoever may have effects', async () => {
    const artifacts = await openArtifacts(join(directory, 'kept'), () => 1)
    const file = join(directory, 'build')
    writeFileSync(file, 'built')
    const reference = await keepFileIn(artifacts)(file)
    const hash = reference.slice('sha256:'.length)
    const fetched: string[] = []
    const find = fileFinder(artifacts, async wanted => {
      fetched.push(wanted)
      return { ...artifacts.find(hash)!, hash: wanted }
    })
    assert.equal(await find(hash, true), artifacts.path(hash))
    assert.equal(await find(HASH, false), undefined)
    assert.deepEqual(fetched, [])
    assert.equal(await find(HASH, true), artifacts.path(HASH))
    assert.deepEqual(fetched, [HASH])
    await assert.rejects(keepFileIn(artifacts)('~/.cloudburst-no-such-file'), {
      code: 'CB_USAGE',
      message: new RegExp(`^${homedir()}/`)
    })
  })
})
