import { attributesText, escapeXml } from '../../goals/program/write-xml.ts'
import { LISTEN_DEFAULT, type Neighbour, readNeighborhood } from './read.ts'

/** What `cloudburst init` knows about a new node. */
export interface NewNeighborhood {
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
  /** Multiaddrs; by default LISTEN_DEFAULT. */
  readonly listen?: readonly string[]
  readonly neighbours?: readonly Neighbour[]
  readonly mdns?: boolean
}

/**
 * A commented neighborhood.xml.
 * @throws CloudburstError CB_NEIGHBORHOOD_INVALID when a name, address or peer id is none
 */
export function neighborhoodText(what: NewNeighborhood): string {
  const labels = Object.entries(what.labels ?? {}).map(([name, value]) => `    <label${attributesText({ name, value })}/>\n`)
  const listen = (what.listen ?? [LISTEN_DEFAULT]).map(address => `    <listen>${escapeXml(address)}</listen>\n`)
  const peers = (what.neighbours ?? []).flatMap(peerLines).map(line => `  ${line}\n`)
  const text = `<?xml version="1.0" encoding="UTF-8"?>
<!-- Who is near: this node, and the nodes it keeps a connection to. Read again when it changes, except for <node>, <control> and <mdns>. -->
<neighborhood>
  <!-- This node. The name is what others call it: letters, digits, ".", "_", "-".
       Labels select nodes: role=web names every node that has this one.
         <label name="role" value="web"/>
       Listen addresses are multiaddrs; tcp/0 takes any free port. Behind a NAT, say what others dial:
         <announce>/dns4/node1.example.org/tcp/4710</announce> -->
  <node${attributesText({ name: what.name })}>
${labels.join('')}${listen.join('')}  </node>

  <!-- Every connection is encrypted with Noise, and nothing else is ever offered. Anything else written here stops the node. -->
  <encryption required="noise"/>

  <!-- The control API over the network: TLS 1.3 only, for whoever types the code of \`cloudburst sign-in\`.
       hosts: further names by which it is reached.
         <control listen="/ip4/0.0.0.0/tcp/4711" hosts="node1.example.org"/> -->

  <!-- Nodes on the same network find each other's addresses by multicast DNS. It suggests, it permits nothing.
       What is announced is the peer id and addresses; announce="false" only looks. -->
  <mdns enabled="${what.mdns ?? true}"/>

  <!-- Nodes to stay connected with, one element each; tickets (cloudburst help init) write them for you.
         <peer name="node2" id="12D3KooW...">
           <address>/ip4/192.0.2.7/tcp/4710</address>
         </peer>
       A node without an address is one that dials us. What a peer may do here stands in permissions.xml. -->
${peers.join('')}</neighborhood>
`
  readNeighborhood(text, 'neighborhood.xml')
  return text
}

/** The lines of one `<peer>` element. */
export function peerLines(neighbour: Neighbour): string[] {
  const addresses = neighbour.addresses.map(address => `  <address>${escapeXml(address)}</address>`)
  return [`<peer${attributesText({ name: neighbour.name, id: neighbour.peer })}>`, ...addresses, '</peer>']
}
