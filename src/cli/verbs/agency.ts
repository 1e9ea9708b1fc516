/** Commands for programs, and agents made of them. */
import type { Verbs } from './spec.ts'

export const agency: Verbs = {
  programs: {
    summary: 'programs that a node holds',
    usage: '',
    options: ['peer'],
    example: 'programs',
    load: () => import('../commands/programs.ts')
  },
  load: {
    summary: 'give a program to a node',
    usage: 'FILE…',
    options: ['peer'],
    example: 'load site.xml',
    completes: 'files',
    load: () => import('../commands/load.ts')
  },
  list: {
    summary: 'goal prototypes with type, name and description',
    usage: '[FILE…]',
    options: ['peer', 'program', 'strict'],
    example: 'list site.xml -o wide',
    completes: 'files',
    load: () => import('../commands/list.ts')
  },
  new: {
    summary: 'write a commented program to start from, or one that does what a shell script does',
    usage: 'NAME',
    options: ['from-script'],
    example: 'new deploy --from-script deploy.sh',
    load: () => import('../commands/new.ts')
  },
  fmt: {
    summary: 'write programs in canonical form, in place; without a file, from stdin to stdout',
    usage: '[FILE…]',
    options: ['check'],
    example: 'fmt site.xml --check',
    completes: 'files',
    load: () => import('../commands/fmt.ts')
  },
  agents: {
    summary: 'agents of a node',
    usage: '',
    options: ['peer'],
    example: 'agents --peer node2',
    load: () => import('../commands/agents.ts')
  },
  start: {
    summary: 'start an agent of a program',
    usage: 'PROGRAM[/AGENT] [PATH=VALUE…]',
    options: ['peer', 'name', 'set'],
    example: 'start inventory --peer node2',
    completes: 'programs',
    load: () => import('../commands/start.ts')
  },
  examine: {
    summary: 'an agent, with its variables and goals',
    usage: 'AGENT',
    options: ['peer'],
    example: 'examine inventory',
    completes: 'agents',
    load: () => import('../commands/examine.ts')
  },
  suspend: {
    summary: 'let an agent or one goal rest at its next step',
    usage: 'AGENT|ID',
    options: ['peer', 'why'],
    example: 'suspend inventory',
    completes: 'agents',
    load: () => import('../commands/suspend.ts')
  },
  resume: {
    summary: 'let an agent or a goal go on that was suspended by hand',
    usage: 'AGENT|ID',
    options: ['peer', 'why'],
    example: 'resume inventory',
    completes: 'agents',
    load: () => import('../commands/resume.ts')
  },
  stop: {
    summary: 'end an agent, by the goal that its program has for that',
    usage: 'AGENT',
    options: ['peer', 'now'],
    example: 'stop inventory',
    completes: 'agents',
    load: () => import('../commands/stop.ts')
  }
}
