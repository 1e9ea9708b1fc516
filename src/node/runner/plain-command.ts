/** Texts that a shell would do nothing about but split them at their blanks: the shell around every command starts what they name. */

/** Words as they stand: no quotes, no expansions, no patterns, no comments, nothing that joins commands. */
const PLAIN = /^[ \t\n]*[A-Za-z0-9_./:@%+=,-]+(?:[ \t]+[A-Za-z0-9_./:@%+=,-]+)*[ \t\n]*$/

/** What does the same within any shell as outside of it. */
const WITHIN: ReadonlySet<string> = new Set(['true', 'false'])

/** Words that are no programs to some shell, or other ones than the programs of these names. */
const OF_SHELLS: ReadonlySet<string> = new Set(
  [
    '. : alias bg bind break builtin caller case cd chdir command compgen complete compopt continue coproc declare dirs disown do done',
    'echo elif else enable esac eval exec exit export fc fg fi for function getopts hash help hist history if in jobs kill let local',
    'login logout mapfile newgrp popd printf pushd pwd read readarray readonly return select set shift shopt source suspend test then',
    'time times trap type typeset ulimit umask unalias unset until wait while'
  ].flatMap(line => line.split(' '))
)

/**
 * The words of `sh -c TEXT`, when the same shell does the same with them as arguments, and a second one is saved.
 * @param program absolute path of argv[0]
 * @param isProgram whether a command of this name would be found; one that is not is left to the shell, which says so
 * @returns undefined for everything else
 */
export function plainCommand(
  program: string,
  argv: readonly string[],
  isProgram: (name: string) => boolean
): readonly string[] | undefined {
  const [, option, text = ''] = argv
  if ((program !== '/bin/sh' && program !== '/usr/bin/sh') || argv.length !== 3 || option !== '-c' || !PLAIN.test(text)) return undefined
  const words = text.trim().split(/[ \t]+/)
  const name = words[0]!
  if (WITHIN.has(name)) return words
  return name.includes('=') || OF_SHELLS.has(name) || !isProgram(name) ? undefined : words
}
