import type { Context, Runnable, Suite } from 'mocha'

/** What the reporter looks at: the reason, on a test or on a suite around it. */
type Skippable = (Runnable | Suite) & { skipReason?: string }

/**
 * Skips the running test, or from a `before` hook the whole suite, and says why: the reporter prints the reason.
 * The only way to skip; test/tidy.test.ts refuses the others. Does not return.
 */
export function skip(context: Context, reason: string): never {
  const skipped: Skippable | undefined = whatSkips(context)
  if (skipped !== undefined) skipped.skipReason = reason
  return context.skip()
}

/** In a hook `context.test` is the hook. A `before` hook skips all of its suite, a `beforeEach` hook the test that comes next. */
function whatSkips({ test, currentTest }: Context): Runnable | Suite | undefined {
  if (test?.title.startsWith('"before all"')) return test.parent
  return test?.title.startsWith('"before each"') ? currentTest : test
}
