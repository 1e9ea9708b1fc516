/**
 * The product in one walk: three nodes on this machine, a goal sent to two of them, one that fails, and its repair.
 * It does what a person would do, through the same commands, and prints each with its real output.
 *   npm run quickstart              exit 0 only if everything below held
 *   npm run quickstart -- --keep    leaves the nodes running, and says how to go on
 */
import { type Walk, startWalk } from './quickstart/walk.ts'

const NODES = ['node1', 'node2', 'node3'] as const
/** All must know one another within this time, in milliseconds: the first tries of a new node come within seconds. */
const MEET_WITHIN_MS = 20_000

interface Peer {
  readonly name: string
  readonly status: string
}
interface Run {
  readonly id: string
  readonly status: string
  readonly on?: string
}

const began = Date.now()
const walk = startWalk(process.argv.includes('--keep'))
try {
  await makeNodes(walk)
  await introduce(walk)
  await takeInventory(walk)
  const id = await publish(walk)
  await repair(walk, id)
  walk.say(`\nAll of this held. It took ${((Date.now() - began) / 1000).toFixed(1)} s.`)
} catch (error) {
  walk.failed(error)
} finally {
  await walk.end()
}

async function makeNodes(walk: Walk): Promise<void> {
  walk.chapter('Three nodes: equal daemons, each with a home of its own')
  for (const node of NODES) {
    await walk.type(node, `cloudburst init --name ${node} --listen /ip4/127.0.0.1/tcp/0 --no-mdns`)
    await walk.startDaemon(node)
  }
}

async function introduce(walk: Walk): Promise<void> {
  walk.chapter('They trust nobody yet. A ticket makes two nodes know and permit each other')
  for (const [host, guest] of [
    ['node1', 'node2'],
    ['node1', 'node3'],
    ['node2', 'node3']
  ] as const) {
    const { stdout } = await walk.type(host, 'cloudburst init --ticket')
    await walk.type(guest, stdout.trim())
  }
  for (const node of NODES) {
    await walk.until(`${node} knows the others`, MEET_WITHIN_MS, async () => {
      const peers = await walk.ask<Peer[]>(node, 'cloudburst peers -o json')
      return NODES.every(name => peers.some(peer => peer.name === name && (peer.status === 'up' || peer.status === 'self')))
    })
  }
  await walk.type('node1', 'cloudburst peers')
}

async function takeInventory(walk: Walk): Promise<void> {
  walk.chapter('A goal, sent from node1 to the others and followed there: what is on these machines?')
  await walk.type('node1', 'cloudburst dispatch inventory --peer node2,node3')
  await walk.type('node1', 'cloudburst pursue inventory -o name')
  const { stdout } = await walk.type('node1', 'cloudburst inventory')
  for (const node of NODES)
    walk.check(`the inventory of ${node} is known`, new RegExp(`^${node} .*Linux|^${node} .*macOS`, 'm').test(stdout))
}

/** @returns the id of the goal that waits on node3 */
async function publish(walk: Walk): Promise<string> {
  walk.chapter('A goal that fails on one node: node3 uses that port already')
  walk.write('sites/node3/ports-in-use', '8080\n')
  await walk.type('node1', `cloudburst dispatch publish --peer node2,node3 goal.root=${walk.path('sites')} goal.port=8080`, 3)
  const runs = await walk.ask<Run[]>('node1', 'cloudburst goals -o json')
  const waiting = runs.find(run => run.status === 'suspended' && run.on === 'node3')
  walk.check('the goal waits on node3', waiting !== undefined)
  return waiting?.id ?? ''
}

async function repair(walk: Walk, id: string): Promise<void> {
  walk.chapter('Nothing is lost: whoever may, corrects the value from any node, here node2, and it goes on')
  await walk.type('node2', `cloudburst repair ${id} --peer node3 --set goal.port=8081 --why 'port 8080 was taken'`)
  walk.say('\nThe step that was done did not run again, and node1, which sent the goal, knows how it ended:\n')
  const { stdout } = await walk.type('node3', `cat ${walk.path('sites/node3/times-made')}`)
  walk.check('the first step ran once', stdout === 'made\n')
  walk.check('the site has the corrected port', walk.read('sites/node3/site.conf') === 'listen 8081\n')
  await walk.until('node1 knows the outcome', MEET_WITHIN_MS, async () => {
    const runs = await walk.ask<Run[]>('node1', 'cloudburst goals -o json')
    return runs.every(run => run.status === 'completed')
  })
  await walk.type('node1', 'cloudburst goals')
}
