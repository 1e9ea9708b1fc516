import { CloudburstError } from '../../errors.ts'
import { type Invocation, onlyWord } from '../arguments.ts'
import { commands, type CommandSpec } from '../commands.ts'
import { commonOptions, type OptionName, type OptionSpec, optionSpecs } from '../options.ts'

/** Completion for a shell, e.g. `eval "$(cloudburst completion bash)"`. Goals, ids, agents and peers are asked of the daemon. */
export async function run(invocation: Invocation): Promise<number> {
  const shell = onlyWord(invocation, 'bash, zsh or fish')
  invocation.io.stdout.write(script(shell))
  return 0
}

function script(shell: string): string {
  switch (shell) {
    case 'bash':
      return bash()
    case 'zsh':
      return `#compdef cloudburst\nautoload -U +X bashcompinit && bashcompinit\n${bash()}`
    case 'fish':
      return fish()
    default:
      throw new CloudburstError('CB_USAGE', `there is no completion for ${shell}; there is one for bash, zsh and fish`, {
        command: 'completion'
      })
  }
}

function optionsOf(spec: CommandSpec): [string, OptionSpec][] {
  const names: readonly OptionName[] = [...spec.options, ...commonOptions]
  return names.map(name => [name, optionSpecs[name]])
}

/** What to run for the words of a command; empty when there is nothing to ask. */
function asks({ completes }: CommandSpec): string {
  switch (completes) {
    case 'goals':
      return 'cloudburst list -o name'
    case 'runs':
      return 'cloudburst goals -o name'
    case 'agents':
      return 'cloudburst agents -o name'
    case 'programs':
      return 'cloudburst programs -o name'
    case 'commands':
      return `echo ${Object.keys(commands).join(' ')}`
    default:
      return ''
  }
}

function bash(): string {
  const cases = Object.entries(commands).map(([name, spec]) => {
    const options = optionsOf(spec)
      .map(([option]) => `--${option}`)
      .join(' ')
    return `    ${name}) options='${options}'; asks='${asks(spec)}' ;;`
  })
  return `_cloudburst() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} options='' asks=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${Object.keys(commands).join(' ')} --help --version' -- "$current"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac
  case $previous in
    -p|--peer) COMPREPLY=($(compgen -W "$(cloudburst peers -o name 2>/dev/null)" -- "$current")); return ;;
    -o|--output) COMPREPLY=($(compgen -W 'table wide json yaml name' -- "$current")); return ;;
    --agent) COMPREPLY=($(compgen -W "$(cloudburst agents -o name 2>/dev/null)" -- "$current")); return ;;
    --home) COMPREPLY=($(compgen -d -- "$current")); return ;;
  esac
  case $current in
    -*) COMPREPLY=($(compgen -W "$options" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$([ -n "$asks" ] && eval "$asks" 2>/dev/null)" -- "$current") $(compgen -f -X '!*.xml' -- "$current")) ;;
  esac
}
complete -o filenames -F _cloudburst cloudburst
`
}

function fish(): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const lines = Object.entries(commands).flatMap(([name, spec]) => {
    const there = `-n '__fish_seen_subcommand_from ${name}'`
    const options = optionsOf(spec).map(([option, { short, type, help }]) => {
      const values = option === 'peer' ? " -xa '(cloudburst peers -o name 2>/dev/null)'" : type === 'string' ? ' -r' : ''
      return `complete -c cloudburst ${there} -l ${option}${short === undefined ? '' : ` -s ${short}`}${values} -d ${quoted(help)}`
    })
    const words = asks(spec) === '' ? [] : [`complete -c cloudburst ${there} -a '(${asks(spec)} 2>/dev/null)'`]
    return [`complete -c cloudburst -f -n __fish_use_subcommand -a ${name} -d ${quoted(spec.summary)}`, ...options, ...words]
  })
  return `${lines.join('\n')}\n`
}
