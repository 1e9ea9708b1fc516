/** The reference of docs/cli.md: every command and option, from the tables that help and completion are made of. */
import { commands } from '../../src/cli/commands.ts'
import { commonOptions, type OptionName, type OptionSpec, optionSpecs } from '../../src/cli/options.ts'

const MARKED = /(<!-- commands:[^\n]*-->\n)[\s\S]*?(<!-- \/commands -->)/

/** `page` with the part between the marks made anew. @throws when there are none */
export function withCommands(page: string): string {
  if (!MARKED.test(page)) throw new Error('docs/cli.md has no <!-- commands: … --> … <!-- /commands -->')
  return page.replace(MARKED, (_, open: string, close: string) => `${open}${lines().join('\n')}\n${close}`)
}

function lines(): string[] {
  return [
    '| command | is for | options |',
    '|---|---|---|',
    ...Object.entries(commands).map(([name, { usage, summary, options }]) => {
      const words = usage === '' ? name : `${name} ${usage}`
      return `| \`${inCell(words)}\` | ${inCell(summary)} | ${options.map(option => `\`--${option}\``).join(' ')} |`
    }),
    '',
    '| option | means |',
    '|---|---|',
    ...usedOptions().map(name => `| \`${inCell(flag(name, optionSpecs[name]))}\` | ${inCell(optionSpecs[name].help)} |`)
  ]
}

/** Those of every command first, the others by name. */
function usedOptions(): OptionName[] {
  const used = new Set(Object.values(commands).flatMap(({ options }) => options))
  for (const name of commonOptions) used.delete(name)
  return [...commonOptions, ...[...used].sort()]
}

function flag(name: string, { short, value }: OptionSpec): string {
  return `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`
}

function inCell(text: string): string {
  return text.replaceAll('|', '\\|')
}
