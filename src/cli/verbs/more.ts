/** Commands for this command itself. */
import type { Verbs } from './spec.ts'

export const more: Verbs = {
  help: {
    summary: 'about a command',
    usage: '[COMMAND]',
    options: [],
    example: 'help dispatch',
    completes: 'commands',
    load: () => import('../commands/help.ts')
  },
  version: {
    summary: 'the version of this program',
    usage: '',
    options: [],
    example: 'version',
    load: () => import('../commands/version.ts')
  },
  completion: {
    summary: 'completion for a shell',
    usage: 'bash|zsh|fish',
    options: [],
    example: 'completion bash',
    load: () => import('../commands/completion.ts')
  }
}
