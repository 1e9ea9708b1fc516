/** Commands for nodes and their neighborhood. */
import type { Verbs } from './spec.ts'

/** Options of how a host is reached. */
const reaching = [
  ...(['sudo', 'become-password-file', 'password-file', 'passphrase-file', 'identity', 'port', 'known-hosts', 'host-key'] as const),
  ...(['ssh-config', 'ssh-command', 'prefix'] as const)
] as const

export const nodes: Verbs = {
  init: {
    summary: 'make a home for a node, or join two nodes',
    usage: '',
    options: ['name', 'listen', 'label', 'no-mdns', 'ticket', 'join', 'lifetime', 'email', 'capability', 'key'],
    example: 'init --home ~/node1 --name node1',
    load: () => import('../commands/init.ts')
  },
  deliver: {
    summary: 'put cloudburst on hosts that have sshd, and make them members of the mesh',
    usage: 'USER@HOST…',
    options: [
      ...reaching,
      'via',
      'artefact',
      'label',
      'name',
      'listen',
      'no-mdns',
      'no-join',
      'authority',
      'rollback',
      'service-user',
      'parallel',
      'max-failures',
      'timeout'
    ],
    example: 'deliver admin@web1 admin@web2 --sudo',
    load: () => import('../commands/deliver.ts')
  },
  undeliver: {
    summary: 'end, remove and forget what was delivered to hosts',
    usage: 'USER@HOST…',
    options: [...reaching, 'via', 'keep-home'],
    example: 'undeliver admin@web1 --sudo',
    load: () => import('../commands/undeliver.ts')
  },
  upgrade: {
    summary: 'put another release on nodes over the mesh; those that are not well with it go back by themselves',
    usage: '',
    options: ['peer', 'where', 'all', 'to', 'max-unavailable', 'max-failures', 'timeout'],
    example: 'upgrade --all --max-unavailable 2',
    load: () => import('../commands/upgrade.ts')
  },
  'start-daemon': {
    summary: 'start the daemon of this node: as a service for root or by sudo, else in the background',
    usage: '',
    options: ['sudo', 'service', 'service-user', 'restart', 'sudoers', 'timeout'],
    example: 'start-daemon --sudo',
    load: () => import('../commands/start-daemon.ts')
  },
  'stop-daemon': {
    summary: 'end the daemon of this node; steps that run go on',
    usage: '',
    options: ['sudo', 'service', 'remove'],
    example: 'stop-daemon --sudo',
    load: () => import('../commands/stop-daemon.ts')
  },
  hello: {
    summary: 'what a node says about itself',
    usage: '',
    options: ['peer'],
    example: 'hello --peer node2',
    load: () => import('../commands/hello.ts')
  },
  peers: {
    summary: 'nodes that this one knows',
    usage: '',
    options: [],
    example: 'peers -o wide',
    load: () => import('../commands/peers.ts')
  },
  inventory: {
    summary: 'what is known of the nodes: system, disks, software, ports, data',
    usage: '',
    options: ['peer', 'all'],
    example: 'inventory -o wide',
    load: () => import('../commands/inventory.ts')
  },
  state: {
    summary: 'a value of any node: what it is, was and who says so; setting it at its owner',
    usage: '[get|watch|history|why] PATH | set PATH=VALUE… | forget NODE | accept-fork NODE',
    options: ['peer', 'watch', 'cursor', 'set', 'unset', 'revision', 'why'],
    example: 'state nodes.node2.agents --watch',
    load: () => import('../commands/state.ts')
  },
  artifact: {
    summary: 'files that go from node to node, by what is in them',
    usage: 'put FILE | get HASH [FILE] | list | drop HASH',
    options: ['peer'],
    example: 'artifact put build.tar.gz',
    completes: 'files',
    load: () => import('../commands/artifact.ts')
  },
  doctor: {
    summary: 'what is wrong with this node, or soon will be, and what to type about it',
    usage: '',
    options: [],
    example: 'doctor',
    load: () => import('../commands/doctor.ts')
  },
  store: {
    summary: 'check what a node keeps, write it to a file, or make it from one',
    usage: 'check | export FILE | import FILE',
    options: [],
    example: 'store check',
    load: () => import('../commands/store.ts')
  }
}
