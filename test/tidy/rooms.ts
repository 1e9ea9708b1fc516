/** Who may import whom. A path matches by its beginning; `*` stands for one folder or part of a name. */

/** Arrows between rooms. Inside its own room a file imports freely; every room may import src/errors.ts. */
export const arrows: ReadonlyArray<{ from: string; to: string; kind?: 'type' | 'dynamic' }> = [
  { from: 'src/protocols/', to: 'src/goals/' },
  { from: 'src/protocols/', to: 'src/crypto/' },
  { from: 'src/node/', to: 'src/protocols/' },
  { from: 'src/node/', to: 'src/goals/' },
  { from: 'src/node/', to: 'src/crypto/' },
  // The contract is types, and the few names both ends must agree on; it imports nothing but types itself.
  { from: 'src/cli/', to: 'src/node/control/contract.ts' },
  { from: 'web/', to: 'src/node/control/contract.ts', kind: 'type' },
  // Running a program without a daemon. Loaded late, so that every other command starts without it.
  { from: 'src/cli/', to: 'src/node/solo.ts', kind: 'dynamic' },
  // Where program files are, the same with a daemon and without.
  { from: 'src/cli/', to: 'src/node/programs/program-files.ts', kind: 'dynamic' },
  // Human text is a pure function of the event stream, and the same for a live goal, a replayed one and a web page:
  // it lives with the events, and the CLI prints what it returns.
  { from: 'src/cli/', to: 'src/goals/render/' },
  // What programs in JavaScript may use, gathered from where it is.
  { from: 'src/library.ts', to: 'src/cli/' },
  { from: 'src/library.ts', to: 'src/protocols/' },
  { from: 'src/library.ts', to: 'src/goals/' },
  { from: 'src/library.ts', to: 'src/node/control/contract.ts' },
  // Drawings likewise: functions of a plan or of the event stream.
  { from: 'src/cli/', to: 'src/goals/graph/' },
  { from: 'src/cli/main.ts', to: 'src/polyfill.ts' },
  { from: 'src/node/main.ts', to: 'src/polyfill.ts' }
]

export const roots = ['src/errors.ts']

/** Programs, which load the polyfill before anything else. The runner needs none: it imports nothing heavy. */
export const entries = ['src/cli/main.ts', 'src/node/main.ts']

/** Where the mesh may be seen: one file or folder of the node, and the two ends of each protocol. */
const mesh = ['src/node/mesh', 'src/node/neighborhood/', 'src/protocols/wire/', 'src/protocols/*/client', 'src/protocols/*/server']

/** The places of each third-party package. A package without a row has no place. */
export const packages: Readonly<Record<string, readonly string[]>> = {
  libp2p: mesh,
  '@chainsafe/libp2p-noise': mesh,
  '@libp2p/gossipsub': mesh,
  '@libp2p/circuit-relay-v2': mesh,
  '@libp2p/identify': mesh,
  '@libp2p/interface': mesh,
  '@libp2p/mdns': mesh,
  '@libp2p/ping': mesh,
  '@libp2p/tcp': mesh,
  '@libp2p/utils': mesh,
  '@libp2p/yamux': mesh,
  '@multiformats/multiaddr': mesh,
  // An identity is a peer id and its key, so these two also belong to crypto.
  '@libp2p/crypto': [...mesh, 'src/crypto/'],
  '@libp2p/peer-id': [...mesh, 'src/crypto/'],
  multiformats: [...mesh, 'src/crypto/'],
  uint8arraylist: ['src/protocols/', 'src/node/mesh'],
  'it-pipe': ['src/protocols/'],
  cborg: ['src/protocols/', 'src/crypto/', 'src/node/store/'],
  level: ['src/node/store/'],
  ssh2: ['src/node/drivers/', 'src/node/delivery/'],
  // The part of an artefact that a host does not have yet.
  'tar-stream': ['src/node/delivery/'],
  '@aws-sdk/client-ec2': ['src/node/providers/'],
  'node-forge': ['src/crypto/'],
  saxes: ['src/goals/'],
  // The difference that an edit of a file makes, as people read it.
  diff: ['src/goals/'],
  'fast-xml-parser': ['src/goals/'],
  'sh-syntax': ['src/node/programs/shell-parser.ts'],
  // Shapes of what arrives from outside: peers, and callers of the control API.
  valibot: ['src/protocols/', 'src/node/'],
  // Graphviz itself, compiled to WebAssembly: lays a drawing out where no Graphviz is installed.
  '@hpcc-js/wasm-graphviz': ['src/cli/drawing.ts'],
  yaml: ['src/cli/'],
  pino: ['src/node/'],
  ulid: ['src/node/', 'src/protocols/', 'src/cli/'],
  react: ['web/'],
  'react-dom': ['web/'],
  'react-redux': ['web/'],
  '@reduxjs/toolkit': ['web/']
}

/** Starts fast and stays small: no package at all, whatever `packages` says. */
export const bare = ['src/node/runner/']

/** Node's modules that a pure room may use: none of them reaches clock, disk, network or another process. */
export const pureModules = [
  'node:assert',
  'node:assert/strict',
  'node:buffer',
  'node:crypto',
  'node:path',
  'node:path/posix',
  'node:url',
  'node:util'
]

/** Rooms without I/O, and without a clock or chance of their own. */
export const pure = ['src/goals/', 'src/crypto/']

/** Folders under test/ that mirror no folder of src/. */
export const testFolders = [
  'compliance',
  'corpus',
  'docs',
  'fakes',
  'fuzz',
  'golden',
  'lab',
  'language',
  'matrix',
  'programs',
  'schema',
  'scripts',
  'sim',
  'system',
  'tidy',
  'web'
]

/** Test files at the top of test/, which look at the whole repository. */
export const testFiles = ['test/tidy.test.ts', 'test/rows.test.ts']
