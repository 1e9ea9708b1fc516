import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A fresh directory for each test of the running suite, removed after the suite, when nobody uses them any more. Call inside `describe`. @returns its path, while a test runs */
export function temporaryDirectory(): () => string {
  let directory = ''
  const made: string[] = []
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cloudburst-'))
    made.push(directory)
  })
  after(() => {
    for (const each of made) rmSync(each, { recursive: true, force: true })
  })
  return () => directory
}

/** Looks every few milliseconds until `condition` holds. @throws after `withinMs` */
export async function until(what: string, condition: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
