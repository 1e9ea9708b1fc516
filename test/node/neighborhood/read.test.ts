import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { generateIdentity } from '../../../src/crypto/identity.ts'
import { LISTEN_DEFAULT, MDNS_SERVICE_DEFAULT, readNeighborhood } from '../../../src/node/neighborhood/read.ts'
import { neighborhoodText } from '../../../src/node/neighborhood/sample.ts'

const peer = generateIdentity().peer
const inside = (text: string): string => `<neighborhood><node name="n1"/>\n${text}</neighborhood>`

describe('neighborhood.xml', () => {
  it('reads everything', () => {
    const text = `<neighborhood>
      <node name="n1"><label name="role" value="web"/><listen>/ip4/127.0.0.1/tcp/0</listen><announce>/dns4/n1.example/tcp/1</announce></node>
      <encryption required="noise"/>
      <mdns enabled="false" service="_x._udp.local"/>
      <peer name="n2" id="${peer}"><address> /ip4/192.0.2.7/tcp/4710/p2p/${peer} </address></peer>
    </neighborhood>`
    assert.deepEqual(readNeighborhood(text, 'n.xml'), {
      name: 'n1',
      labels: { role: 'web' },
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announce: ['/dns4/n1.example/tcp/1'],
      encryption: 'noise',
      mdns: { enabled: false, announce: true, service: '_x._udp.local' },
      neighbours: [{ name: 'n2', peer, addresses: ['/ip4/192.0.2.7/tcp/4710'] }]
    })
  })

  it('needs no more than a name', () => {
    const { listen, mdns, neighbours } = readNeighborhood(inside(''), 'n.xml')
    assert.deepEqual(
      { listen, mdns, neighbours },
      { listen: [LISTEN_DEFAULT], mdns: { enabled: true, announce: true, service: MDNS_SERVICE_DEFAULT }, neighbours: [] }
    )
  })

  const cases: ReadonlyArray<[string, string, string]> = [
    ['another root', '<neighbourhood/>', 'n.xml:1:1: the root element is <neighbourhood>, not <neighborhood>'],
    ['no node', '<neighborhood/>', 'n.xml:1:1: <neighborhood> needs one <node name="…">'],
    ['two nodes', inside('<node name="x"/>'), 'n.xml:2:1: <node> is given twice'],
    [
      'another encryption',
      inside('<encryption required="tls"/>'),
      'n.xml:2:13: encryption tls is not offered: noise is, and nothing unencrypted ever'
    ],
    [
      'no encryption',
      inside('<encryption required="none"/>'),
      'n.xml:2:13: encryption none is not offered: noise is, and nothing unencrypted ever'
    ],
    ['an unknown element', inside('<peers/>'), 'n.xml:2:1: <neighborhood>: unknown element <peers> (did you mean peer?)'],
    ['an unknown attribute', inside(`<peer nam="x" id="${peer}"/>`), 'n.xml:2:7: <peer>: unknown attribute nam (did you mean name?)'],
    [
      'a name that is a path',
      inside(`<peer name="../x" id="${peer}"/>`),
      'n.xml:2:7: ../x is not a name: letters, digits, ".", "_" and "-", at most 64, no sign first'
    ],
    ['a peer twice', inside(`<peer name="x" id="${peer}"/><peer name="y" id="${peer}"/>`), `n.xml:2:75: the peer ${peer} is listed twice`],
    ['no peer id', inside('<peer name="x" id="abc"/>'), 'n.xml:2:16: abc is not the peer id of a usable Ed25519 key'],
    [
      'no address',
      inside(`<peer name="x" id="${peer}"><address>host:1</address></peer>`),
      'n.xml:2:74: host:1 is not a TCP multiaddr such as /ip4/192.0.2.7/tcp/4710 or /dns4/host.example/tcp/4710'
    ],
    ['mdns neither on nor off', inside('<mdns enabled="yes"/>'), 'n.xml:2:7: enabled is true or false, not yes'],
    ['mdns neither announced nor not', inside('<mdns announce="1"/>'), 'n.xml:2:7: announce is true or false, not 1'],
    [
      'a control API without a number',
      inside('<control listen="/dns4/a/tcp/1"/>'),
      'n.xml:2:10: /dns4/a/tcp/1 is not an address such as /ip4/0.0.0.0/tcp/4711'
    ],
    [
      'a control API with a host that is none',
      inside('<control listen="/ip4/0.0.0.0/tcp/1" hosts="a_b"/>'),
      'n.xml:2:38: a_b is not a host name'
    ]
  ]
  for (const [what, text, message] of cases) {
    it(`is refused with ${what}, at its place`, () => assert.throws(() => readNeighborhood(text, 'n.xml'), { message }))
  }

  it('has a sample with everything in comments', () => {
    const sample = neighborhoodText({
      name: 'n1',
      labels: { role: 'a"b' },
      listen: ['/ip4/127.0.0.1/tcp/1'],
      mdns: false,
      neighbours: [{ name: 'n2', peer, addresses: ['/ip4/127.0.0.1/tcp/2'] }]
    })
    const { labels, listen, neighbours } = readNeighborhood(sample, 'n.xml')
    assert.deepEqual(
      { labels, listen, neighbours },
      { labels: { role: 'a"b' }, listen: ['/ip4/127.0.0.1/tcp/1'], neighbours: [{ name: 'n2', peer, addresses: ['/ip4/127.0.0.1/tcp/2'] }] }
    )
    assert.throws(() => neighborhoodText({ name: '-x' }), /is not a name/)
  })

  it('is in the repository as that sample', () => {
    assert.equal(readFileSync('neighborhood.xml', 'utf8'), neighborhoodText({ name: 'node1' }))
  })
})
