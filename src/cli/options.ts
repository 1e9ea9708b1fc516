/** Every option of every command: one name means one thing. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  readonly multiple?: boolean
  /** Placeholder of its value in help. */
  readonly value?: string
  /** The option that it is when no value follows. */
  readonly bare?: string
  readonly help: string
}

export const optionSpecs = {
  home: { type: 'string', value: 'DIR', help: 'home of the node (else $CLOUDBURST_HOME, else the XDG directories)' },
  output: {
    type: 'string',
    short: 'o',
    value: 'FORMAT',
    help: 'table, wide, json, yaml or name; plan: also plain; plan and graph: also dot, mermaid and svg'
  },
  help: { type: 'boolean', short: 'h', help: 'show this' },
  verbose: { type: 'boolean', short: 'v', multiple: true, help: 'more detail; repeatable' },
  peer: {
    type: 'string',
    short: 'p',
    multiple: true,
    value: 'PEER',
    help: 'name, label selector (os=linux), unique id prefix or multiaddr of a node'
  },
  all: { type: 'boolean', help: 'all known nodes but this one' },
  program: { type: 'string', value: 'PROGRAM', help: 'name or hash of a program, or its FILE.xml' },
  agent: { type: 'string', value: 'AGENT', help: 'agent in whose scope the goal is pursued' },
  strict: { type: 'boolean', help: 'unknown elements and attributes of FILE words are errors, not warnings' },
  set: { type: 'string', multiple: true, value: 'PATH=VALUE', help: 'value of a variable; the same as the word PATH=VALUE' },
  narrate: { type: 'boolean', short: 'n', help: 'print # BEGIN and # END of goals, methods and described statements' },
  goals: { type: 'boolean', short: 'g', help: 'print configurations, and methods with their verdicts' },
  echo: { type: 'boolean', short: 'e', help: 'print commands before they run, and their output' },
  lines: { type: 'boolean', short: 'l', help: 'print FILE:LINE, with all of -n, -g and -e' },
  detach: { type: 'boolean', short: 'd', help: 'print the id and return; the goal goes on' },
  'ssh-reuse': { type: 'boolean', help: 'share the connections of plain ssh and scp prefixes' },
  step: { type: 'boolean', help: 'ask before each step: yes, skip, edit values, continue, detach or quit' },
  'no-probe': { type: 'boolean', help: 'start no process to look at the machine, not even what a program calls pure' },
  'accept-suggestions': { type: 'boolean', help: 'take what is suggested for missing values, where there is one suggestion for each' },
  follow: { type: 'boolean', short: 'f', help: 'go on until the goal has come to rest' },
  replay: { type: 'boolean', help: 'print the whole stream again, at the verbosity of the options' },
  watch: { type: 'boolean', short: 'w', help: 'print every change, until ctrl-C' },
  denied: { type: 'boolean', help: 'only what was denied' },
  cursor: { type: 'string', value: 'CURSOR', help: 'watch: go on after this item of an earlier watch (-o json shows it)' },
  unset: { type: 'string', multiple: true, value: 'PATH', help: 'remove a shared value' },
  revision: { type: 'string', value: 'N', help: 'set only if the path is still at revision N, 0 for not there' },
  suspended: { type: 'boolean', help: 'only goals that wait for repair' },
  'by-cause': { type: 'boolean', help: 'group goals that wait for repair by what went wrong' },
  where: {
    type: 'string',
    multiple: true,
    value: 'KEY=VALUE',
    help: 'repair: all suspended goals with this cause, goal, program or step; dispatch, run: all nodes with these labels; repeatable'
  },
  now: { type: 'boolean', help: 'end steps that run; their goals wait for repair' },
  yes: { type: 'boolean', help: 'do not ask' },
  limit: { type: 'string', value: 'N', help: 'at most so many' },
  retry: { type: 'boolean', help: 'try the failed step again as it is' },
  'from-snapshot': { type: 'string', value: 'ID[:NAME]', help: 'begin where that goal was at its snapshot, or at its last one' },
  method: { type: 'string', value: 'METHOD', help: 'method to try first: of the goal that failed, or INSTANCE:METHOD' },
  skip: { type: 'string', multiple: true, value: 'STEP', help: 'step that need not be done; with --why' },
  done: { type: 'string', multiple: true, value: 'STEP', help: 'step that was done by hand; its results with --set' },
  failed: {
    type: 'string',
    multiple: true,
    value: 'STEP',
    help: 'step in doubt that has failed: what the program says of failures is done'
  },
  again: { type: 'string', multiple: true, value: 'STEP', help: 'step to do again although nothing it read has changed' },
  from: { type: 'string', value: 'STEP', help: 'step to start over from, with all that was begun after it' },
  cancel: { type: 'boolean', help: 'give the goal up; what its methods have an undo for is undone' },
  plan: { type: 'boolean', help: 'only show what would come: of a repair, or of a goal at each node' },
  why: { type: 'string', value: 'TEXT', help: 'reason, kept in the journal' },
  destroy: { type: 'boolean', help: 'undo what the goal has done here, the last first, instead of pursuing it' },
  unplanned: { type: 'boolean', help: 'only steps that the plan of the goal did not know; exit 1 when there are any' },
  refresh: { type: 'boolean', help: 'look again at what earlier runs of the goal had reached, here and on other nodes' },
  'no-refresh': { type: 'boolean', help: 'do not look again at what earlier runs had reached, which is the default' },
  'refresh-only': { type: 'boolean', help: 'pursue nothing; write down what was reached earlier and is no longer true' },
  target: { type: 'string', value: 'STEP', help: 'only up to this step or goal: its id, or the end of that; the rest can be resumed' },
  'no-undo': { type: 'boolean', help: 'what was done stays done, also where the program says how it is undone' },
  seq: { type: 'string', value: 'N', help: 'refuse when anything happened after event N' },
  name: { type: 'string', value: 'NAME', help: 'name to give' },
  out: { type: 'string', value: 'FILE', help: 'write to FILE instead; a plan is saved there, for execute' },
  cluster: { type: 'string', value: 'BY', help: 'frames of a drawing: goal (default), peer, agent or none' },
  collapse: { type: 'string', value: 'N', help: 'draw goals at depth N as one box each' },
  'critical-path': { type: 'boolean', help: 'mark the longest way, and say how long it is' },
  live: { type: 'boolean', help: 'draw again at every change, until the goal rests; with --out' },
  'detailed-exitcode': { type: 'boolean', help: 'exit 2 when there is something to do' },
  listen: { type: 'string', multiple: true, value: 'MULTIADDR', help: 'address to listen on' },
  label: { type: 'string', multiple: true, value: 'KEY=VALUE', help: 'label of this node' },
  'no-mdns': { type: 'boolean', help: 'neither announce this node nor look for others by mDNS' },
  ticket: { type: 'boolean', help: 'print one line to paste on another node: the two will know and permit each other' },
  join: { type: 'string', value: '-', bare: 'ticket', help: 'read such a ticket from standard input; without -, the same as --ticket' },
  lifetime: { type: 'string', value: 'TIME', help: 'how long the ticket or grant is good for, e.g. 30m, 2h' },
  email: { type: 'string', value: 'EMAIL', help: 'e-mail under which the other node is permitted' },
  capability: { type: 'string', multiple: true, value: 'CAPABILITY', help: 'what whoever gets the ticket or grant may do; repeatable' },
  key: { type: 'string', value: 'PEER', help: 'peer id of whoever gets the ticket or grant: what identity show prints there' },
  goal: { type: 'string', multiple: true, value: 'GOAL', help: 'only for this goal; repeatable' },
  var: { type: 'string', multiple: true, value: 'VARIABLE', help: 'only with these variables set; repeatable' },
  on: { type: 'string', multiple: true, value: 'NODE', help: 'only on nodes of this name, peer id or labels (role=web); repeatable' },
  concurrent: { type: 'string', value: 'N', help: 'at most so many open goals at a time' },
  fresh: { type: 'string', value: 'TIME', help: 'only while the authority was heard of within this time, at least 5m' },
  renew: { type: 'boolean', help: 'issue it anew before it ends, for as long as nobody revokes it' },
  effective: { type: 'string', value: 'WHO', help: 'all that an e-mail address or peer id may do here' },
  person: { type: 'boolean', help: 'also the key of the person, made when there is none' },
  wait: { type: 'boolean', help: 'keep the goal here for nodes that are away, a week unless --timeout says otherwise' },
  parallel: { type: 'string', value: 'N', help: 'steps of the goal that may be done at a time; of dispatch and deliver: nodes' },
  'max-failures': { type: 'string', value: 'N|N%', help: 'send it to no more nodes once more have failed' },
  'max-unavailable': { type: 'string', value: 'N|N%', help: 'nodes that are without their daemon at a time (default 1)' },
  to: { type: 'string', value: 'FILE|DIR', help: 'the release: what npm run package made' },
  timeout: { type: 'string', value: 'TIME', help: 'how long to try to reach the peer, e.g. 10s' },
  'from-script': { type: 'string', value: 'FILE', help: 'shell script whose commands become the steps of the goal' },
  check: { type: 'boolean', help: 'change nothing; print the files that would change, and exit 1 when there are any' },
  via: {
    type: 'string',
    value: 'HOW',
    help: 'ssh: streamed to a shell (default); scp: by the sftp subsystem; rpm: a package, by dnf or yum'
  },
  sudo: { type: 'boolean', help: 'do it as root, by sudo' },
  'become-password-file': { type: 'string', value: 'FILE', help: 'password for sudo, for you alone to read' },
  'password-file': { type: 'string', value: 'FILE', help: 'password of the account, for you alone to read' },
  'passphrase-file': { type: 'string', value: 'FILE', help: 'passphrase of the private key, for you alone to read' },
  identity: { type: 'string', value: 'FILE', help: 'private key to log in with' },
  port: { type: 'string', value: 'N', help: 'port of sshd' },
  'known-hosts': { type: 'string', value: 'FILE', help: 'file of host keys, instead of those of ssh' },
  'host-key': { type: 'string', value: 'SHA256:…', help: 'fingerprint of a host whose key is not known yet' },
  'ssh-config': { type: 'string', value: 'FILE', help: 'configuration of ssh to read' },
  'ssh-command': { type: 'string', value: 'COMMAND', help: 'use this program for all connections, e.g. ssh' },
  artefact: { type: 'string', value: 'FILE|DIR', help: 'what npm run package made' },
  prefix: { type: 'string', value: 'DIR', help: 'where releases go (default /opt/cloudburst, or ~/.local/lib/cloudburst without root)' },
  authority: { type: 'string', value: 'NAME', help: 'authority of this home that certifies the new nodes; none: permits instead' },
  'no-join': { type: 'boolean', help: 'install and start, but make it known to nobody' },
  rollback: { type: 'boolean', help: 'go back to the release before' },
  'service-user': { type: 'string', value: 'USER', help: 'who the service runs as (default cloudburst)' },
  service: { type: 'string', value: 'KIND', help: 'systemd, openrc, sysv or background, instead of what is found' },
  sudoers: { type: 'string', value: 'USER', help: 'print what /etc/sudoers.d needs for USER to start and stop the daemon' },
  restart: { type: 'boolean', help: 'also when it runs' },
  remove: { type: 'boolean', help: 'also take it out of the services' },
  'keep-home': { type: 'boolean', help: 'leave keys, configuration and state there' },
  version: { type: 'boolean', help: 'print the version' }
} as const satisfies Record<string, OptionSpec>

export type OptionName = keyof typeof optionSpecs

/** Values as given; absent ones are absent. */
export type Options = {
  readonly [N in OptionName]?: ValueOf<(typeof optionSpecs)[N]>
}

type ValueOf<S> = S extends { readonly multiple: true } ? readonly Scalar<S>[] : Scalar<S>
type Scalar<S> = S extends { readonly type: 'boolean' } ? boolean : string

/** Accepted by every command. */
export const commonOptions = ['home', 'output', 'verbose', 'help'] as const satisfies readonly OptionName[]
