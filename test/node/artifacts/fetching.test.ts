import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { CloudburstError } from '../../../src/errors.ts'
import { type Artifacts, openArtifacts } from '../../../src/node/artifacts/artifacts.ts'
import { openFetching } from '../../../src/node/artifacts/fetching.ts'
import { artifactHandler, type Holdings } from '../../../src/protocols/artifact/server.ts'
import { PART_BYTES_MAX } from '../../../src/protocols/artifact/messages.ts'
import type { Dialer } from '../../../src/protocols/wire/channel.ts'
import { callerWith } from '../../fakes/caller.ts'
import { dialerTo, type PairOptions } from '../../fakes/channel-pair.ts'

const clock = { now: () => Date.now(), sleep: (ms: number, signal?: AbortSignal) => wait(Math.min(ms, 1), undefined, signal && { signal }) }
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const never = new AbortController().signal

describe('a file that goes from node to node', () => {
  let directory: string
  let here: Artifacts
  const bytes = randomBytes(5 * PART_BYTES_MAX + 17)
  const hash = hashOf(bytes)

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'cb-'))
    here = await openArtifacts(join(directory, 'here'), () => 1)
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const holder = async (): Promise<Artifacts> => {
    const there = await openArtifacts(join(directory, 'there'), () => 1)
    const file = join(directory, 'build.tar')
    writeFileSync(file, bytes)
    assert.equal((await there.put(file)).hash, hash)
    return there
  }
  const dialer = (of: Holdings, options: () => PairOptions = () => ({}), may: readonly 'state:read'[] = ['state:read']): Dialer =>
    dialerTo(artifactHandler(of, clock), callerWith([...may]), 'p', options)
  const fetching = (through: Dialer, peers = ['p']) =>
    openFetching({
      artifacts: here,
      dialer: through,
      holders: () => peers.map(peer => ({ peer, node: peer, name: '../build.tar' })),
      clock
    })

  it('arrives as it was, under its hash, with a name that is no path', async () => {
    const got = await fetching(dialer(await holder()))(hash, never)
    assert.deepEqual([got.hash, got.size, got.name, got.from], [hash, bytes.length, 'build.tar', 'p'])
    assert.deepEqual(readFileSync(here.path(hash)), bytes)
  })

  it('goes on where it was when it is cut off, and asks for no byte twice', async () => {
    const there = await holder()
    let dials = 0
    let read = 0
    const counting: Holdings = {
      open: async wanted => {
        const held = await there.open(wanted)
        return (
          held && {
            ...held,
            read: async (offset, length) => {
              const got = await held.read(offset, length)
              read += got.byteLength
              return got
            }
          }
        )
      }
    }
    const cutting = dialer(counting, () => {
      dials++
      let parts = 0
      return { cut: (_n, _from, message) => (message as { type: string }).type === 'part' && ++parts > 2 }
    })
    const got = await fetching(cutting)(hash, never)
    assert.equal(got.size, bytes.length)
    assert.ok(dials > 1, `${dials} dials`)
    assert.ok(read < 2 * bytes.length, `${read} bytes were read of ${bytes.length}`)
    assert.deepEqual(readFileSync(here.path(hash)), bytes)
  })

  it('is not believed when it is another one: the next node is asked', async () => {
    const there = await holder()
    const lying: Holdings = {
      open: async () => ({ size: 4, read: async () => Buffer.from('evil'), close: async () => undefined })
    }
    const [liar, honest] = [dialer(lying), dialer(there)]
    const both: Dialer = {
      open: (peer, protocol, signal) => (peer === 'liar' ? liar.open('p', protocol, signal) : honest.open('p', protocol, signal))
    }
    const got = await fetching(both, ['liar', 'p'])(hash, never)
    assert.equal(got.from, 'p')
    assert.deepEqual(readFileSync(here.path(hash)), bytes)
  })

  it('is not given without state:read, nor when nobody has it', async () => {
    await assert.rejects(fetching(dialer(await holder(), undefined, []))(hash, never), { code: 'CB_DENIED' })
    await assert.rejects(fetching(dialer(await holder()))('0'.repeat(64), never), { code: 'CB_ARTIFACT_UNKNOWN' })
    assert.deepEqual(here.list(), [])
  })

  it('is fetched once when several ask for it together, and not again when it is here', async () => {
    let dials = 0
    const fetch = fetching(
      dialer(await holder(), () => {
        dials++
        return {}
      })
    )
    await Promise.all([fetch(hash, never), fetch(hash, never)])
    await fetch(hash, never)
    assert.equal(dials, 1)
  })

  it('is found again after a restart, and not when it was cut short on disk', async () => {
    await fetching(dialer(await holder()))(hash, never)
    assert.equal((await openArtifacts(join(directory, 'here'), () => 2)).list().length, 1)
    writeFileSync(here.path(hash), bytes.subarray(1))
    assert.deepEqual((await openArtifacts(join(directory, 'here'), () => 2)).list(), [])
    await assert.rejects(here.put('relative'), (error: unknown) => error instanceof CloudburstError)
  })

  it('is given no faster than it may', async () => {
    const there = await holder()
    let slept = 0
    const counting = { now: () => 0, sleep: async (ms: number) => void (slept += ms) }
    const slow = dialerTo(artifactHandler(there, counting, bytes.length), callerWith(['state:read']), 'p')
    await fetching(slow)(hash, never)
    assert.ok(slept >= 1_000, `${slept} ms`)
  })
})
