/** Every command: what it is for, which words and options it takes, and where its code is. Help and completion read this too. */
import type { Invocation } from './arguments.ts'
import type { OptionName } from './options.ts'

export interface CommandSpec {
  readonly summary: string
  /** Words after the command's name. */
  readonly usage: string
  readonly options: readonly OptionName[]
  /** Pasted as it is, without the leading `cloudburst`. */
  readonly example: string
  /** What completion offers for words. */
  readonly completes?: 'goals' | 'runs' | 'agents' | 'programs' | 'files' | 'commands'
  /** Words after the first that is not an option belong to somebody else: `run ls -l`. */
  readonly raw?: true
  readonly load: () => Promise<{ readonly run: (invocation: Invocation) => Promise<number> }>
}

const verbosity = ['narrate', 'goals', 'echo', 'lines'] as const
const goalOptions = ['program', 'agent', 'set', 'accept-suggestions'] as const

/** Options of how a host is reached. */
const reaching = [
  ...(['sudo', 'become-password-file', 'password-file', 'identity', 'port', 'known-hosts', 'host-key'] as const),
  ...(['ssh-config', 'ssh-command', 'prefix'] as const)
] as const

export const commands: Readonly<Record<string, CommandSpec>> = {
  init: {
    summary: 'make a home for a node, or join two nodes',
    usage: '',
    options: ['name', 'listen', 'label', 'no-mdns', 'ticket', 'join', 'lifetime', 'email', 'capability', 'key'],
    example: 'init --home ~/node1 --name node1',
    load: () => import('./commands/init.ts')
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
      'rollback',
      'service-user',
      'parallel',
      'max-failures',
      'timeout'
    ],
    example: 'deliver admin@web1 admin@web2 --sudo',
    load: () => import('./commands/deliver.ts')
  },
  undeliver: {
    summary: 'end, remove and forget what was delivered to hosts',
    usage: 'USER@HOST…',
    options: [...reaching, 'via', 'keep-home'],
    example: 'undeliver admin@web1 --sudo',
    load: () => import('./commands/undeliver.ts')
  },
  'start-daemon': {
    summary: 'start the daemon of this node: as a service for root or by sudo, else in the background',
    usage: '',
    options: ['sudo', 'service', 'service-user', 'restart', 'sudoers', 'timeout'],
    example: 'start-daemon --sudo',
    load: () => import('./commands/start-daemon.ts')
  },
  'stop-daemon': {
    summary: 'end the daemon of this node; steps that run go on',
    usage: '',
    options: ['sudo', 'service', 'remove'],
    example: 'stop-daemon --sudo',
    load: () => import('./commands/stop-daemon.ts')
  },
  hello: {
    summary: 'what a node says about itself',
    usage: '',
    options: ['peer'],
    example: 'hello --peer node2',
    load: () => import('./commands/hello.ts')
  },
  peers: {
    summary: 'nodes that this one knows',
    usage: '',
    options: [],
    example: 'peers -o wide',
    load: () => import('./commands/peers.ts')
  },
  programs: {
    summary: 'programs that a node holds',
    usage: '',
    options: ['peer'],
    example: 'programs',
    load: () => import('./commands/programs.ts')
  },
  load: {
    summary: 'give a program to a node',
    usage: 'FILE…',
    options: ['peer'],
    example: 'load site.xml',
    completes: 'files',
    load: () => import('./commands/load.ts')
  },
  agents: {
    summary: 'agents of a node',
    usage: '',
    options: ['peer'],
    example: 'agents --peer node2',
    load: () => import('./commands/agents.ts')
  },
  start: {
    summary: 'start an agent of a program',
    usage: 'PROGRAM[/AGENT] [PATH=VALUE…]',
    options: ['peer', 'name', 'set'],
    example: 'start inventory --peer node2',
    completes: 'programs',
    load: () => import('./commands/start.ts')
  },
  examine: {
    summary: 'an agent, with its variables and goals',
    usage: 'AGENT',
    options: ['peer'],
    example: 'examine inventory',
    completes: 'agents',
    load: () => import('./commands/examine.ts')
  },
  suspend: {
    summary: 'let an agent or one goal rest at its next step',
    usage: 'AGENT|ID',
    options: ['peer', 'why'],
    example: 'suspend inventory',
    completes: 'agents',
    load: () => import('./commands/suspend.ts')
  },
  resume: {
    summary: 'let an agent or a goal go on that was suspended by hand',
    usage: 'AGENT|ID',
    options: ['peer', 'why'],
    example: 'resume inventory',
    completes: 'agents',
    load: () => import('./commands/resume.ts')
  },
  stop: {
    summary: 'end an agent, by the goal that its program has for that',
    usage: 'AGENT',
    options: ['peer', 'now'],
    example: 'stop inventory',
    completes: 'agents',
    load: () => import('./commands/stop.ts')
  },
  list: {
    summary: 'goal prototypes with type, name and description',
    usage: '[FILE…]',
    options: ['peer', 'program', 'strict'],
    example: 'list site.xml -o wide',
    completes: 'files',
    load: () => import('./commands/list.ts')
  },
  new: {
    summary: 'write a commented program to start from, or one that does what a shell script does',
    usage: 'NAME',
    options: ['from-script'],
    example: 'new deploy --from-script deploy.sh',
    load: () => import('./commands/new.ts')
  },
  fmt: {
    summary: 'write programs in canonical form, in place; without a file, from stdin to stdout',
    usage: '[FILE…]',
    options: ['check'],
    example: 'fmt site.xml --check',
    completes: 'files',
    load: () => import('./commands/fmt.ts')
  },
  plan: {
    summary: 'what pursuing a goal would do; has no effect',
    usage: '[FILE…] GOAL [PATH=VALUE…] | diff PLAN.json PLAN.json',
    options: [
      'peer',
      ...goalOptions,
      ...verbosity,
      'out',
      'no-probe',
      'destroy',
      'refresh',
      'target',
      'cluster',
      'collapse',
      'critical-path',
      'detailed-exitcode',
      'strict'
    ],
    example: 'plan site.xml publish goal.port=8080',
    completes: 'goals',
    load: () => import('./commands/plan.ts')
  },
  graph: {
    summary: 'a plan or a goal, drawn: DOT, Mermaid, SVG or JSON',
    usage: '[FILE…] GOAL|ID|PLAN.json [PATH=VALUE…]',
    options: ['peer', ...goalOptions, 'destroy', 'target', 'cluster', 'collapse', 'critical-path', 'live', 'out', 'strict'],
    example: 'graph site.xml publish -o svg --out publish.svg',
    completes: 'goals',
    load: () => import('./commands/graph.ts')
  },
  pursue: {
    summary: 'make a goal true; try other methods when one fails',
    usage: '[FILE…] GOAL [PATH=VALUE…]',
    options: [
      'peer',
      ...goalOptions,
      ...verbosity,
      'destroy',
      'refresh-only',
      'target',
      'step',
      'from-snapshot',
      'ssh-reuse',
      'detach',
      'strict'
    ],
    example: 'pursue publish goal.port=8080',
    completes: 'goals',
    load: () => import('./commands/pursue.ts')
  },
  execute: {
    summary: 'make a goal true as planned; no other methods',
    usage: '[FILE…] GOAL [PATH=VALUE…] | PLAN.json',
    options: ['peer', ...goalOptions, ...verbosity, 'target', 'step', 'from-snapshot', 'ssh-reuse', 'detach', 'strict'],
    example: 'execute site.xml publish',
    completes: 'goals',
    load: () => import('./commands/execute.ts')
  },
  dispatch: {
    summary: 'send a goal to other nodes and follow it there',
    usage: 'GOAL --peer PEER[,PEER…]|--where LABELS|--all [PATH=VALUE…]',
    options: [
      'peer',
      'where',
      'all',
      'plan',
      'parallel',
      'max-failures',
      'wait',
      ...goalOptions,
      ...verbosity,
      'step',
      'ssh-reuse',
      'detach',
      'timeout'
    ],
    example: 'dispatch inventory --peer node2,node3',
    completes: 'goals',
    load: () => import('./commands/dispatch.ts')
  },
  attach: {
    summary: 'follow a goal that was sent, from any node, wherever it is pursued',
    usage: 'ID',
    options: ['peer', ...verbosity],
    example: 'attach 01JD',
    completes: 'runs',
    load: () => import('./commands/attach.ts')
  },
  abandon: {
    summary: 'wait no longer for a goal whose node is gone for good; should it return, its goal is stopped there',
    usage: 'ID',
    options: ['why'],
    example: 'abandon 01JD --why "the disk of node3 is lost"',
    completes: 'runs',
    load: () => import('./commands/abandon.ts')
  },
  goals: {
    summary: 'goals pursued here or sent from here, newest first',
    usage: '',
    options: ['peer', 'suspended', 'by-cause', 'limit'],
    example: 'goals --suspended',
    load: () => import('./commands/goals.ts')
  },
  goal: {
    summary: 'one goal: where it stands, why it waits, what to type',
    usage: 'ID',
    options: ['peer'],
    example: 'goal 01JD',
    completes: 'runs',
    load: () => import('./commands/goal.ts')
  },
  repair: {
    summary: 'let a suspended goal go on, with corrected values',
    usage: 'ID [PATH=VALUE…] | --where KEY=VALUE [PATH=VALUE…]',
    options: [
      'peer',
      'where',
      'yes',
      'set',
      'retry',
      'method',
      'program',
      'skip',
      'done',
      'failed',
      'again',
      'from',
      'cancel',
      'no-undo',
      'plan',
      'why',
      'seq',
      ...verbosity,
      'step',
      'detach'
    ],
    example: 'repair 01JD --peer node3 --set goal.port=8080',
    completes: 'runs',
    load: () => import('./commands/repair.ts')
  },
  cancel: {
    summary: 'give up a goal; what its methods have an undo for is undone',
    usage: 'ID',
    options: ['peer', 'plan', 'why', 'no-undo'],
    example: 'cancel 01JD --why "no longer wanted"',
    completes: 'runs',
    load: () => import('./commands/cancel.ts')
  },
  why: {
    summary: 'why a step of a goal ran, ran again or was kept',
    usage: 'ID STEP',
    options: ['peer'],
    example: 'why 01JD site/files/serve',
    completes: 'runs',
    load: () => import('./commands/why.ts')
  },
  logs: {
    summary: 'what happened to a goal, and what its steps printed',
    usage: 'ID',
    options: ['peer', 'follow', 'replay', 'unplanned', ...verbosity],
    example: 'logs 01JD --follow',
    completes: 'runs',
    load: () => import('./commands/logs.ts')
  },
  inventory: {
    summary: 'what is known of the nodes: system, disks, software, ports, data',
    usage: '',
    options: ['peer', 'all'],
    example: 'inventory -o wide',
    load: () => import('./commands/inventory.ts')
  },
  state: {
    summary: 'a value of any node: what it is, was and who says so; setting it at its owner',
    usage: '[get|watch|history|why] PATH | set PATH=VALUE… | forget NODE | accept-fork NODE',
    options: ['peer', 'watch', 'cursor', 'set', 'unset', 'revision', 'why'],
    example: 'state nodes.node2.agents --watch',
    load: () => import('./commands/state.ts')
  },
  run: {
    summary: 'run a command here or on peers (there it needs node:shell)',
    usage: '[--peer PEER] -- COMMAND…',
    options: ['peer', 'where', 'all', 'timeout'],
    example: 'run --peer node2 -- uname -a',
    raw: true,
    load: () => import('./commands/run.ts')
  },
  authority: {
    summary: 'make an authority, certify people and nodes, take it back',
    usage: 'init NAME | certify NAME EMAIL --key PEER | revoke NAME WHO | export NAME',
    options: ['key', 'capability', 'program', 'goal', 'var', 'on', 'concurrent', 'lifetime', 'fresh', 'renew'],
    example: 'authority certify ops alice@example.org --key 12D3KooW… --capability goal:dispatch --goal deploy --on role=web',
    load: () => import('./commands/authority.ts')
  },
  grant: {
    summary: 'grants that this node holds; take one in, or hand part of one on',
    usage: 'show | add FILE|- | delegate EMAIL --key PEER',
    options: ['key', 'capability', 'program', 'goal', 'var', 'on', 'concurrent', 'lifetime'],
    example: 'grant delegate bob@example.org --key 12D3KooW… --capability goal:dispatch --lifetime 30m',
    completes: 'files',
    load: () => import('./commands/grant.ts')
  },
  permissions: {
    summary: 'who may do what here, and why; check permissions.xml',
    usage: 'show --effective WHO | why WHO CAPABILITY [GOAL] | test | lint',
    options: ['effective', 'program', 'var'],
    example: 'permissions why alice@example.org goal:dispatch deploy',
    load: () => import('./commands/permissions.ts')
  },
  identity: {
    summary: 'the keys of this node and its person; a new key for it',
    usage: 'show | rotate',
    options: ['person'],
    example: 'identity show',
    load: () => import('./commands/identity.ts')
  },
  store: {
    summary: 'check what a node keeps, write it to a file, or make it from one',
    usage: 'check | export FILE | import FILE',
    options: [],
    example: 'store check',
    load: () => import('./commands/store.ts')
  },
  audit: {
    summary: 'what this node has allowed and denied; whether that log is whole',
    usage: '[verify | export [FILE]]',
    options: ['follow', 'denied', 'limit'],
    example: 'audit --denied',
    load: () => import('./commands/audit.ts')
  },
  'sign-in': {
    summary: 'a code to sign in with at the control API over the network',
    usage: '',
    options: [],
    example: 'sign-in',
    load: () => import('./commands/sign-in.ts')
  },
  help: {
    summary: 'about a command',
    usage: '[COMMAND]',
    options: [],
    example: 'help dispatch',
    completes: 'commands',
    load: () => import('./commands/help.ts')
  },
  artifact: {
    summary: 'files that go from node to node, by what is in them',
    usage: 'put FILE | get HASH [FILE] | list | drop HASH',
    options: ['peer'],
    example: 'artifact put build.tar.gz',
    completes: 'files',
    load: () => import('./commands/artifact.ts')
  },
  doctor: {
    summary: 'what is wrong with this node, or soon will be, and what to type about it',
    usage: '',
    options: [],
    example: 'doctor',
    load: () => import('./commands/doctor.ts')
  },
  version: {
    summary: 'the version of this program',
    usage: '',
    options: [],
    example: 'version',
    load: () => import('./commands/version.ts')
  },
  completion: {
    summary: 'completion for a shell',
    usage: 'bash|zsh|fish',
    options: [],
    example: 'completion bash',
    load: () => import('./commands/completion.ts')
  }
}
