/** The control API over the network, when neighborhood.xml asks for it: listening, certified, with a way to sign in. */
import { hostname, networkInterfaces } from 'node:os'
import type { LeafNames } from '../../crypto/certificate.ts'
import type { Identity } from '../../crypto/identity.ts'
import type { Log } from '../files/live-file.ts'
import type { Neighborhood } from '../neighborhood/read.ts'
import type { Audit } from '../permissions/audit.ts'
import type { SignInInfo } from './contract.ts'
import type { ControlBinding } from './server.ts'
import { openSignIn } from './sign-in.ts'

export interface OpenSecureOptions {
  /** Of this node. */
  readonly name: string
  readonly controlListen: Neighborhood['control']
  readonly identity: Identity
  /** Where certificates and keys are kept. */
  readonly directory: string
  readonly control: Pick<ControlBinding, 'handle'>
  readonly audit: Audit
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly log: Log
}

export interface Secure {
  readonly port: number
  /** A new code, and where to type it. */
  signIn(): SignInInfo
  stop(): Promise<void>
}

/** Undefined when nothing is to be served. @throws CloudburstError CB_PORT_TAKEN, CB_FILE_UNSAFE */
export async function openSecure(options: OpenSecureOptions): Promise<Secure | undefined> {
  const { controlListen, log, now } = options
  if (controlListen === undefined) return undefined
  // forge is large: only who serves the network waits for it.
  const [{ openCertificates }, { serveSecurely }] = await Promise.all([import('./certificates.ts'), import('./secure.ts')])
  const names = namesFor(options.name, controlListen)
  const certificates = openCertificates({ ...options, names })
  const signIn = openSignIn(now)
  try {
    const { port, stop } = await serveSecurely({ ...controlListen, ...options, names, certificates, signIn })
    const addresses = [...names.hosts, ...names.addresses].map(host => `https://${host.includes(':') ? `[${host}]` : host}:${port}/`)
    log.info({ addresses }, 'the control API is served over the network')
    return {
      port,
      signIn: () => ({ ...signIn.code(), addresses, authority: certificates.authorityFile }),
      stop: async () => {
        certificates.close()
        await stop()
      }
    }
  } catch (error) {
    certificates.close()
    throw error
  }
}

/** Every name and address by which this machine is reached where it listens. */
function namesFor(name: string, { host, hosts }: NonNullable<Neighborhood['control']>): LeafNames {
  const everywhere = host === '0.0.0.0' || host === '::'
  const own = Object.values(networkInterfaces()).flatMap(each => each ?? [])
  const addresses = everywhere ? own.filter(({ address }) => !address.startsWith('fe80:')).map(({ address }) => address) : [host]
  // A name of a node may have signs that no host name has.
  const named = [...hosts, hostname(), name, 'localhost'].filter(each => /^[A-Za-z0-9.-]+$/.test(each))
  return { hosts: [...new Set(named.map(each => each.toLowerCase()))], addresses: [...new Set(addresses)] }
}
