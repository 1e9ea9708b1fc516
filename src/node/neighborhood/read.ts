import { multiaddr } from '@multiformats/multiaddr'
import { isPeerId } from '../../crypto/identity.ts'
import { CloudburstError } from '../../errors.ts'
import { elementsOf, readXml, type XmlElement } from '../../goals/program/xml.ts'
import { NODE_NAME } from '../../protocols/node-name.ts'
import { ShapeReader } from '../files/xml-shape.ts'

/** Where this node listens when its file does not say: every address of the machine. */
export const LISTEN_DEFAULT = '/ip4/0.0.0.0/tcp/4710'
/** mDNS service that nodes of one neighborhood ask for. */
export const MDNS_SERVICE_DEFAULT = '_cloudburst._udp.local'

/** All of neighborhood.xml. */
export interface Neighborhood {
  /** What this node is called by others. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** Multiaddrs to listen on, at least one. */
  readonly listen: readonly string[]
  /** Multiaddrs to tell others instead of those listened on, e.g. outside of a NAT. */
  readonly announce: readonly string[]
  /** The only encryption there is. */
  readonly encryption: 'noise'
  /** Where the control API is served over TLS to whoever signs in; absent: at the socket only. */
  readonly control?: { readonly host: string; readonly port: number; readonly hosts: readonly string[] }
  /** `announce`: answers when others look. */
  readonly mdns: { readonly enabled: boolean; readonly announce: boolean; readonly service: string }
  readonly neighbours: readonly Neighbour[]
}

/** A node that this one keeps a connection to, and never gives up on. */
export interface Neighbour {
  readonly name: string
  readonly peer: string
  /** Multiaddrs without /p2p/; may be empty for a node that only dials out. */
  readonly addresses: readonly string[]
}

const reader = new ShapeReader('CB_NEIGHBORHOOD_INVALID')
/** RFC 1123, 2.1. */
const HOST = /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}))*$/

/** Whether `text` can be the name of a node: it becomes part of paths such as `nodes.<name>` and of table columns. */
export function isNodeName(text: string): boolean {
  return NODE_NAME.test(text)
}

/**
 * What a neighborhood.xml says. `file` is only a name for messages.
 * @throws CloudburstError CB_XML_INVALID, CB_NEIGHBORHOOD_INVALID with `file:line:col: reason`
 */
export function readNeighborhood(text: string, file: string): Neighborhood {
  const root = readXml(text, file)
  if (root.name !== 'neighborhood') throw reader.error(root.place, `the root element is <${root.name}>, not <neighborhood>`)
  reader.check(root, { children: ['node', 'encryption', 'control', 'mdns', 'peer'] })
  const node = only(root, 'node')
  if (node === undefined) throw reader.error(root.place, '<neighborhood> needs one <node name="…">')
  const encryption = only(root, 'encryption')
  if (encryption !== undefined) checkEncryption(encryption)
  return {
    ...readNode(node),
    encryption: 'noise',
    ...readControl(only(root, 'control')),
    mdns: readMdns(only(root, 'mdns')),
    neighbours: readNeighbours(root)
  }
}

function readNode(element: XmlElement): Pick<Neighborhood, 'name' | 'labels' | 'listen' | 'announce'> {
  reader.check(element, { required: ['name'], children: ['label', 'listen', 'announce'] })
  const labels: Record<string, string> = Object.create(null)
  for (const label of named(element, 'label')) {
    reader.check(label, { required: ['name', 'value'] })
    labels[nodeName(label, 'name')] = reader.needed(label, 'value')
  }
  const addresses = (name: string): string[] => named(element, name).map(child => addressOf(child))
  const listen = addresses('listen')
  return {
    name: nodeName(element, 'name'),
    labels: { ...labels },
    listen: listen.length === 0 ? [LISTEN_DEFAULT] : listen,
    announce: addresses('announce')
  }
}

function checkEncryption(element: XmlElement): void {
  reader.check(element, { required: ['required'] })
  const required = reader.needed(element, 'required')
  if (required === 'noise') return
  throw reader.error(reader.placeOf(element, 'required'), `encryption ${required} is not offered: noise is, and nothing unencrypted ever`)
}

function readControl(element: XmlElement | undefined): Pick<Neighborhood, 'control'> {
  if (element === undefined) return {}
  reader.check(element, { required: ['listen'], optional: ['hosts'] })
  const listen = reader.needed(element, 'listen')
  if (!isTcpAddress(listen) || !/^\/ip[46]\//.test(listen)) {
    throw reader.error(reader.placeOf(element, 'listen'), `${listen} is not an address such as /ip4/0.0.0.0/tcp/4711`)
  }
  const hosts = (reader.attribute(element, 'hosts') ?? '').split(/\s+/).filter(host => host !== '')
  const wrong = hosts.find(host => !HOST.test(host))
  if (wrong !== undefined) throw reader.error(reader.placeOf(element, 'hosts'), `${wrong} is not a host name`)
  const parts = multiaddr(listen).getComponents()
  const of = (...names: string[]): string => parts.find(({ name }) => names.includes(name))?.value ?? ''
  return { control: { host: of('ip4', 'ip6'), port: Number(of('tcp')), hosts } }
}

function readMdns(element: XmlElement | undefined): Neighborhood['mdns'] {
  if (element === undefined) return { enabled: true, announce: true, service: MDNS_SERVICE_DEFAULT }
  reader.check(element, { optional: ['enabled', 'announce', 'service'] })
  const flag = (name: string): boolean => {
    const value = reader.attribute(element, name) ?? 'true'
    if (value === 'true' || value === 'false') return value === 'true'
    throw reader.error(reader.placeOf(element, name), `${name} is true or false, not ${value}`)
  }
  const service = element.attributes.has('service') ? reader.needed(element, 'service') : MDNS_SERVICE_DEFAULT
  return { enabled: flag('enabled'), announce: flag('announce'), service }
}

function readNeighbours(root: XmlElement): Neighbour[] {
  const seen = new Set<string>()
  return named(root, 'peer').map(element => {
    reader.check(element, { required: ['name', 'id'], children: ['address'] })
    const name = nodeName(element, 'name')
    const peer = reader.needed(element, 'id')
    if (!isPeerId(peer)) throw reader.error(reader.placeOf(element, 'id'), `${peer} is not the peer id of a usable Ed25519 key`)
    for (const word of [name, peer]) {
      if (seen.has(word)) throw reader.error(element.place, `the peer ${word} is listed twice`)
      seen.add(word)
    }
    return { name, peer, addresses: named(element, 'address').map(child => addressOf(child)) }
  })
}

function addressOf(element: XmlElement): string {
  reader.check(element, { text: true })
  const text = reader.text(element)
  if (isTcpAddress(text)) return text.replace(/\/p2p\/[^/]+$/, '')
  throw reader.error(element.place, `${text} ${NO_ADDRESS}`)
}

const NO_ADDRESS = 'is not a TCP multiaddr such as /ip4/192.0.2.7/tcp/4710 or /dns4/host.example/tcp/4710'

/** The address of an option, if it is one. @throws CloudburstError CB_USAGE */
export function checkAddress(text: string): string {
  if (isTcpAddress(text)) return text
  throw new CloudburstError('CB_USAGE', `${text} ${NO_ADDRESS}`)
}

function isTcpAddress(text: string): boolean {
  try {
    return multiaddr(text)
      .getComponents()
      .some(({ name }) => name === 'tcp')
  } catch {
    return false
  }
}

function nodeName(element: XmlElement, attribute: string): string {
  const name = reader.needed(element, attribute)
  if (isNodeName(name)) return name
  throw reader.error(
    reader.placeOf(element, attribute),
    `${name} is not a name: letters, digits, ".", "_" and "-", at most 64, no sign first`
  )
}

function only(root: XmlElement, name: string): XmlElement | undefined {
  const [first, second] = named(root, name)
  if (second !== undefined) throw reader.error(second.place, `<${name}> is given twice`)
  return first
}

function named(element: XmlElement, name: string): XmlElement[] {
  return elementsOf(element).filter(child => child.name === name)
}
