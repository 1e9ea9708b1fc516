/**
 * Prints a run for somebody who sees the project for the first time: sentences grouped by noun while it runs;
 * at the end the slowest tests, every skipped test with its reason, every failure in full with the command that
 * repeats it, and one line that counts. Under scripts/test.mjs the counts go to it, and it prints that line.
 */
const { relative } = require('node:path')
const { reporters, Runner } = require('mocha')

const { Base } = reporters
const { EVENT_RUN_END, EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } = Runner.constants

const SLOWEST_SHOWN = 5
/** Nothing quicker than this is called slow, in milliseconds. */
const SLOW_FROM_MS = 100
/** How long after the last test the process may take to end by itself, before we say what keeps it. scripts/test.mjs waits twice as long. */
const LINGER_MS = Number(process.env.CLOUDBURST_TEST_LINGER_MS ?? 10_000) / 2

module.exports = class Reporter extends Base {
  #depth = 0
  #passed = []
  #skipped = []

  constructor(runner, options) {
    super(runner, options)
    runner.on(EVENT_SUITE_BEGIN, suite => this.#open(suite))
    runner.on(EVENT_SUITE_END, () => this.#depth--)
    runner.on(EVENT_TEST_PASS, test => this.#pass(test))
    runner.on(EVENT_TEST_PENDING, test => this.#skip(test))
    runner.on(EVENT_TEST_FAIL, test => this.#line('fail', `${this.failures.length}) ${test.title}`))
    runner.once(EVENT_RUN_END, () => this.#end())
  }

  #open(suite) {
    this.#depth++
    if (suite.title !== '') this.#line('suite', suite.title)
  }

  #pass(test) {
    this.#passed.push(test)
    const took = test.duration >= SLOW_FROM_MS ? Base.color('medium', ` ${seconds(test.duration)}`) : ''
    this.#line('checkmark', `✓ ${test.title}${took}`)
  }

  #skip(test) {
    this.#skipped.push({ test, reason: reasonOf(test) })
    this.#line('pending', `- ${test.title} (skipped: ${reasonOf(test)})`)
  }

  /** One line, as deep as its suite. The root suite has depth 1 and no title. */
  #line(style, text) {
    const indent = '  '.repeat(Math.max(0, this.#depth - (style === 'suite' ? 2 : 1)))
    console.log(indent + Base.color(style, text))
  }

  #end() {
    this.#tellSlowest()
    this.#tellSkipped()
    this.#tellFailures()
    const counts = { passed: this.#passed.length, failed: this.failures.length, skipped: this.#skipped.length }
    const ended = counts.passed + counts.skipped + this.failures.filter(failed => failed.type === 'test').length
    const notRun = this.runner.total - ended
    if (notRun > 0) console.log(`\nNot run, because a hook before them failed or the run was stopped: ${notRun}`)
    tellWhatLingers()
    if (process.send === undefined) console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
    else process.send({ cloudburstTests: counts })
  }

  #tellSlowest() {
    const slow = this.#passed.filter(test => test.duration >= SLOW_FROM_MS).sort((a, b) => b.duration - a.duration)
    if (slow.length === 0) return
    console.log('\nSlowest')
    for (const test of slow.slice(0, SLOWEST_SHOWN)) console.log(`  ${seconds(test.duration).padStart(7)}  ${test.fullTitle()}`)
  }

  #tellSkipped() {
    if (this.#skipped.length > 0) console.log('\nSkipped')
    const reasons = new Set(this.#skipped.map(skipped => skipped.reason))
    for (const reason of reasons) {
      console.log(`  ${reason}:`)
      for (const { test } of this.#skipped.filter(skipped => skipped.reason === reason)) console.log(`    ${test.fullTitle()}`)
    }
  }

  #tellFailures() {
    if (this.failures.length === 0) return
    console.log('\nFailures')
    for (const { err } of this.failures) if (err.generatedMessage === true) err.showDiff = false // node:assert has put one into its message
    Base.list(this.failures)
    console.log('Again')
    const files = new Set(this.failures.map(test => test.file).filter(file => file !== undefined))
    for (const file of files) console.log(`  npm test -- ${relative(process.cwd(), file)}`)
  }
}

/** What test/skip.ts left on the test, or on a suite around it when a hook skipped them all. */
function reasonOf(test) {
  for (let at = test; at !== undefined; at = at.parent) if (at.skipReason !== undefined) return at.skipReason
  return 'no reason given'
}

function seconds(ms) {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** Names what keeps the process alive after the last test, since a run that never ends tells nothing. */
function tellWhatLingers() {
  const timer = setTimeout(() => {
    console.error(`\nthe tests are over, but this is still open: ${process.getActiveResourcesInfo().join(', ')}`)
  }, LINGER_MS)
  timer.unref()
}
