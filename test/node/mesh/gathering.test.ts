import assert from 'node:assert/strict'
import type { ConnectionEncrypter, MultiaddrConnection } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { gathering } from '../../../src/node/mesh/gathering.ts'

/** What reaches the socket of an encryption that sends a frame in three parts. */
async function sentBy(side: 'secureInbound' | 'secureOutbound'): Promise<unknown[]> {
  const sent: unknown[] = []
  const secure = async (connection: MultiaddrConnection): Promise<never> => {
    connection.send(new Uint8ArrayList(Uint8Array.of(0, 2), Uint8Array.of(7), Uint8Array.of(8)))
    return undefined as never
  }
  const encrypter = gathering(
    () => ({ protocol: '/test', secureInbound: secure, secureOutbound: secure }) as unknown as ConnectionEncrypter
  )
  await encrypter({})[side]({ send: (data: unknown) => sent.push(data) > 0 } as unknown as MultiaddrConnection)
  return sent
}

describe('a gathering encryption', () => {
  it('hands each frame to the socket in one piece, on both sides', async () => {
    for (const side of ['secureInbound', 'secureOutbound'] as const) assert.deepEqual(await sentBy(side), [Uint8Array.of(0, 2, 7, 8)])
  })
})
