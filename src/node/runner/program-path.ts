/** Finds a program before anything is forked, so that "no such program" is known for what it is. */
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, resolve } from 'node:path'

/**
 * Absolute path of the program that `name` means with this PATH, as execvp(3) would find it.
 * @returns undefined when there is none that this user may run
 */
export function programPath(name: string, path: string | undefined, cwd: string): string | undefined {
  const candidates = name.includes('/')
    ? [resolve(cwd, name)]
    : (path ?? '/usr/bin:/bin').split(delimiter).map(part => resolve(cwd, part, name))
  return name === '' ? undefined : candidates.find(isProgram)
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
