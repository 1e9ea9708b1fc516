/** Commands for goals: planned, pursued, sent, repaired. */
import { goalOptions, verbosity, type Verbs } from './spec.ts'

export const goals: Verbs = {
  plan: {
    summary: 'what pursuing a goal would do; has no effect',
    usage: '[FILE…] GOAL [PATH=VALUE…] | diff PLAN.json PLAN.json',
    options: [
      'peer',
      ...goalOptions,
      ...verbosity,
      'out',
      'parallel',
      'no-probe',
      'destroy',
      'refresh',
      'no-refresh',
      'target',
      'cluster',
      'collapse',
      'critical-path',
      'detailed-exitcode',
      'strict'
    ],
    example: 'plan site.xml publish goal.port=8080',
    completes: 'goals',
    load: () => import('../commands/plan.ts')
  },
  graph: {
    summary: 'a plan or a goal, drawn: DOT, Mermaid, SVG or JSON',
    usage: '[FILE…] GOAL|ID|PLAN.json [PATH=VALUE…]',
    options: ['peer', ...goalOptions, 'destroy', 'target', 'cluster', 'collapse', 'critical-path', 'live', 'out', 'strict'],
    example: 'graph site.xml publish -o svg --out publish.svg',
    completes: 'goals',
    load: () => import('../commands/graph.ts')
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
      'parallel',
      'target',
      'step',
      'from-snapshot',
      'ssh-reuse',
      'detach',
      'strict'
    ],
    example: 'pursue publish goal.port=8080',
    completes: 'goals',
    load: () => import('../commands/pursue.ts')
  },
  execute: {
    summary: 'make a goal true as planned; no other methods',
    usage: '[FILE…] GOAL [PATH=VALUE…] | PLAN.json',
    options: ['peer', ...goalOptions, ...verbosity, 'parallel', 'target', 'step', 'from-snapshot', 'ssh-reuse', 'detach', 'strict'],
    example: 'execute site.xml publish',
    completes: 'goals',
    load: () => import('../commands/execute.ts')
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
    load: () => import('../commands/dispatch.ts')
  },
  attach: {
    summary: 'follow a goal that was sent, from any node, wherever it is pursued',
    usage: 'ID',
    options: ['peer', ...verbosity],
    example: 'attach 01JD',
    completes: 'runs',
    load: () => import('../commands/attach.ts')
  },
  abandon: {
    summary: 'wait no longer for a goal whose node is gone for good; should it return, its goal is stopped there',
    usage: 'ID',
    options: ['why'],
    example: 'abandon 01JD --why "the disk of node3 is lost"',
    completes: 'runs',
    load: () => import('../commands/abandon.ts')
  },
  run: {
    summary: 'run a command here or on peers (there it needs node:shell)',
    usage: '[--peer PEER] -- COMMAND…',
    options: ['peer', 'where', 'all', 'timeout'],
    example: 'run --peer node2 -- uname -a',
    raw: true,
    load: () => import('../commands/run.ts')
  },
  goals: {
    summary: 'goals pursued here or sent from here, newest first',
    usage: '',
    options: ['peer', 'suspended', 'by-cause', 'limit'],
    example: 'goals --suspended',
    load: () => import('../commands/goals.ts')
  },
  goal: {
    summary: 'one goal: where it stands, why it waits, what to type',
    usage: 'ID',
    options: ['peer'],
    example: 'goal 01JD',
    completes: 'runs',
    load: () => import('../commands/goal.ts')
  },
  why: {
    summary: 'why a step of a goal ran, ran again or was kept',
    usage: 'ID STEP',
    options: ['peer'],
    example: 'why 01JD site/files/serve',
    completes: 'runs',
    load: () => import('../commands/why.ts')
  },
  logs: {
    summary: 'what happened to a goal, and what its steps printed',
    usage: 'ID',
    options: ['peer', 'follow', 'replay', 'unplanned', ...verbosity],
    example: 'logs 01JD --follow',
    completes: 'runs',
    load: () => import('../commands/logs.ts')
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
    load: () => import('../commands/repair.ts')
  },
  cancel: {
    summary: 'give up a goal; what its methods have an undo for is undone',
    usage: 'ID',
    options: ['peer', 'plan', 'why', 'no-undo'],
    example: 'cancel 01JD --why "no longer wanted"',
    completes: 'runs',
    load: () => import('../commands/cancel.ts')
  }
}
