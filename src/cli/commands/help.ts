import { CloudburstError } from '../../errors.ts'
import type { Invocation } from '../arguments.ts'
import { closest } from '../../goals/render/suggest.ts'
import { commandGroups, commands, type CommandSpec } from '../commands.ts'
import { print } from '../io.ts'
import { commonOptions, type OptionName, type OptionSpec, optionSpecs } from '../options.ts'

/** All commands, or one with its options and an example. */
export async function run({ words, io }: Invocation): Promise<number> {
  const [name] = words
  if (name === undefined) {
    print(io.stdout, overview())
    return 0
  }
  const spec = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (spec === undefined) {
    const near = closest(name, Object.keys(commands))
    throw new CloudburstError('CB_USAGE', `there is no command ${name}${near === undefined ? '' : `; did you mean ${near}?`}`)
  }
  print(io.stdout, about(name, spec))
  return 0
}

function overview(): string[] {
  const width = Math.max(...Object.keys(commands).map(name => name.length))
  return [
    'cloudburst: goals for many machines, pursued by equal daemons, repaired forward when they fail',
    '',
    'usage: cloudburst COMMAND [OPTION…] [WORD…]',
    '',
    ...Object.entries(commandGroups).flatMap(([title, group]) => [
      `${title}:`,
      ...Object.entries(group).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
      ''
    ]),
    'cloudburst help COMMAND tells more. FILE.xml words of goal commands run without a daemon.',
    'exit: 0 ok, 1 error, 2 plan has changes, 3 suspended, 4 plan stale, 5 configuration incomplete, 6 denied, 7 peer unreachable, 64 usage, 124 timeout, 130 interrupted'
  ]
}

function about(name: string, spec: CommandSpec): string[] {
  const names: readonly OptionName[] = [...spec.options, ...commonOptions]
  const rows = names.map(option => [flags(option, optionSpecs[option]), optionSpecs[option].help] as const)
  const width = Math.max(...rows.map(([flag]) => flag.length))
  return [
    `cloudburst ${name}: ${spec.summary}`,
    '',
    `usage: cloudburst ${[name, spec.usage, '[OPTION…]'].filter(part => part !== '').join(' ')}`,
    `example: cloudburst ${spec.example}`,
    '',
    ...rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`)
  ]
}

function flags(name: string, { short, value }: OptionSpec): string {
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`
}
