import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface'

type Encryption<Components> = (components: Components) => ConnectionEncrypter

/**
 * The same encryption, each encrypted frame handed to the socket in one piece. libp2p writes the length, the text and
 * the tag of each frame one by one, and each would be a system call and a packet of its own.
 */
export function gathering<Components>(encryption: Encryption<Components>): Encryption<Components> {
  return components => {
    const encrypter = encryption(components)
    const inbound = encrypter.secureInbound.bind(encrypter)
    const outbound = encrypter.secureOutbound.bind(encrypter)
    encrypter.secureInbound = (connection, options) => inbound(gathered(connection), options)
    encrypter.secureOutbound = (connection, options) => outbound(gathered(connection), options)
    return encrypter
  }
}

function gathered<Connection extends MessageStream>(connection: Connection): Connection {
  const send = connection.send.bind(connection)
  connection.send = data => send(data.subarray())
  return connection
}
