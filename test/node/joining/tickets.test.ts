import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateIdentity } from '../../../src/crypto/identity.ts'
import { CloudburstError } from '../../../src/errors.ts'
import {
  addPending,
  openTickets,
  parsePending,
  parseTicket,
  removePending,
  TICKET_CAPABILITIES,
  ticketText,
  type Tickets
} from '../../../src/node/joining/tickets.ts'
import { memoryTicketStore } from '../mesh/ticket-store.ts'

const peer = generateIdentity().peer
const HOUR = 3_600_000

function refusal(error: unknown): boolean {
  return error instanceof CloudburstError && error.code === 'CB_TICKET_INVALID'
}

describe('a ticket', () => {
  let store: ReturnType<typeof memoryTicketStore>
  let now: number
  const open = (): Promise<Tickets> => openTickets({ store, peer, addresses: () => ['/ip4/127.0.0.1/tcp/1'], now: () => now })
  beforeEach(() => {
    store = memoryTicketStore()
    now = 1_000
  })

  it('is a text that says everything, and the store never has its secret', async () => {
    const ticket = await (await open()).issue({})
    const text = ticketText(ticket)
    assert.match(text, /^cb1-[\w-]+$/)
    assert.deepEqual(parseTicket(` ${text}\n`), ticket)
    assert.deepEqual(
      { ...ticket, secret: '' },
      { peer, addresses: ['/ip4/127.0.0.1/tcp/1'], secret: '', expiry: now + HOUR, capabilities: TICKET_CAPABILITIES }
    )
    assert.equal(JSON.stringify([...store.entries]).includes(ticket.secret), false)
  })

  it('is used by exactly one of fifty at once', async () => {
    const tickets = await open()
    const { secret } = await tickets.issue({ capabilities: ['agency:hello'] })
    const uses = await Promise.allSettled(Array.from({ length: 50 }, (_, at) => tickets.use(secret, `peer-${at}`)))
    assert.equal(uses.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.ok(uses.every(use => use.status === 'fulfilled' || refusal(use.reason)))
  })

  it('that is bound to a peer is used by nobody else, also not before that peer', async () => {
    const tickets = await open()
    const { secret } = await tickets.issue({ boundTo: peer })
    await assert.rejects(tickets.use(secret, 'thief'), refusal)
    await tickets.use(secret, peer)
    await assert.rejects(tickets.issue({ boundTo: 'nobody' }), /not the peer id/)
  })

  it('stays used after a restart, and may be repeated by who used it', async () => {
    const before = await open()
    const { secret } = await before.issue({ email: 'a@b' })
    assert.ok(before.outstanding)
    await before.use(secret, 'one')
    const after = await open()
    assert.equal(after.outstanding, false)
    assert.equal((await after.use(secret, 'one')).email, 'a@b')
    await assert.rejects(after.use(secret, 'two'), refusal)
  })

  it('whose use could not be written down is not used, and may be tried again', async () => {
    let full = true
    const refusing = {
      ...store,
      batch: (...args: Parameters<typeof store.batch>) => (full ? Promise.reject(new Error('disk full')) : store.batch(...args))
    }
    const { secret } = await (await open()).issue({})
    const tickets = await openTickets({ store: refusing, peer, addresses: () => [], now: () => now })
    await assert.rejects(tickets.use(secret, 'one'), /disk full/)
    assert.ok(tickets.outstanding)
    await assert.rejects(tickets.use(secret, 'one'), /disk full/)
    full = false
    await tickets.use(secret, 'one')
    assert.equal((await open()).outstanding, false)
  })

  it('whose use was written down although the disk said no is used, once the disk can be written again', async () => {
    let tell: (state: 'ready' | 'degraded') => void = () => undefined
    const lying = {
      ...store,
      onState: (listener: typeof tell) => {
        tell = listener
      },
      batch: async (...args: Parameters<typeof store.batch>) => {
        await store.batch(...args)
        throw new Error('disk full')
      }
    }
    const { secret } = await (await open()).issue({})
    const tickets = await openTickets({ store: lying, peer, addresses: () => [], now: () => now })
    await assert.rejects(tickets.use(secret, 'one'), /disk full/)
    assert.ok(tickets.outstanding)
    tell('ready')
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(tickets.outstanding, false)
    await assert.rejects(tickets.use(secret, 'two'), refusal)
  })

  it('is refused once it has expired, and is forgotten then', async () => {
    const tickets = await open()
    const { secret } = await tickets.issue({ lifetimeMs: 10 })
    now += 10
    assert.equal(tickets.outstanding, false)
    await assert.rejects(tickets.use(secret, 'one'), /expired/)
    await open()
    assert.equal(store.entries.size, 0)
  })

  it('is refused when nobody issued it', async () => {
    await assert.rejects((await open()).use('guess', 'one'), refusal)
  })

  it('is good for a month at most', async () => {
    const tickets = await open()
    for (const lifetimeMs of [0, -1, Number.NaN, 31 * 24 * HOUR]) await assert.rejects(tickets.issue({ lifetimeMs }), /at most 30 days/)
  })

  it('is none when the text is cut anywhere, or is of something else', async () => {
    const text = ticketText(await (await open()).issue({}))
    for (let length = 0; length < text.length - 1; length++) assert.throws(() => parseTicket(text.slice(0, length)), refusal)
    for (const other of [
      '',
      'cb2-x',
      `cb1-${Buffer.from('null').toString('base64url')}`,
      `cb1-${Buffer.from('{"peer":"x"}').toString('base64url')}`
    ]) {
      assert.throws(() => parseTicket(other), refusal)
    }
  })

  it('waits in a private file until it is dropped', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tickets-'))
    const path = join(directory, 'tickets.json')
    const tickets = await open()
    const [first, second] = [await tickets.issue({}), await tickets.issue({})]
    addPending(path, first)
    addPending(path, second)
    assert.deepEqual(parsePending(readFileSync(path, 'utf8')), [second])
    assert.equal(statSync(path).mode & 0o777, 0o600)
    removePending(path, peer)
    assert.deepEqual(parsePending(readFileSync(path, 'utf8')), [])
    chmodSync(path, 0o644)
    assert.throws(() => addPending(path, first), /chmod 600/)
    assert.throws(() => parsePending('{}'), refusal)
    rmSync(directory, { recursive: true })
  })
})
