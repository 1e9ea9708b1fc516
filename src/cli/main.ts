/** `cloudburst`: words → command → exit status. Everything else is imported when it is needed: `--help` stays quick. */
import '../polyfill.ts'
import './short-lived.ts'
import { once } from 'node:events'

const interrupted = new AbortController()
process.on('SIGINT', () => {
  // The second ctrl-C does not wait for anything.
  if (interrupted.signal.aborted) process.exit(130)
  interrupted.abort()
})
// `cloudburst goals | head`: nobody reads any more, which is no failure.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(0)
})

const { cli } = await import('./cli.ts')
process.exitCode = await cli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  cwd: process.cwd(),
  uid: process.getuid?.(),
  interrupted: interrupted.signal
})
// What is still connected has nothing to say any more; what is still to be written has.
if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain')
process.exit()
