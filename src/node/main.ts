/** cloudburstd: words → daemon → exit status. */
import '../polyfill.ts'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { atHome, CloudburstError } from '../errors.ts'
import { shellWord } from '../goals/render/words.ts'
import { notifying } from './delivery/notify.ts'
import { type LogLevel, logLevels } from './log.ts'
import { handOver, takeReturned, takeTried } from './upgrading/hand-over.ts'
import { VERSION } from './version.ts'

/** How long a daemon that gives way to another release may take to end, in milliseconds. */
const GIVE_WAY_MS = 20_000

const HELP = `cloudburstd ${VERSION}: the daemon of one node

  cloudburstd [--home DIR] [--listen MULTIADDR]… [--no-mdns] [--log-level LEVEL]

  --home DIR          where the node's files are; else $CLOUDBURST_HOME, else the XDG directories
                      (root: /etc/cloudburst and /var/lib/cloudburst)
  --listen MULTIADDR  instead of what neighborhood.xml says, e.g. /ip4/0.0.0.0/tcp/4001; may be repeated
  --no-mdns           do not look for neighbours on the local network
  --log-level LEVEL   ${logLevels.join(', ')} (default info); logs are JSON lines on standard error
  --version, --help

A home is made by \`cloudburst init\`. SIGTERM and SIGINT stop the daemon; steps that run go on, and are found again.
`

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      home: { type: 'string' },
      listen: { type: 'string', multiple: true },
      'no-mdns': { type: 'boolean' },
      'log-level': { type: 'string', default: 'info' },
      version: { type: 'boolean' },
      help: { type: 'boolean' }
    }
  })
  if (values.help === true) return say(HELP)
  if (values.version === true) return say(`${VERSION}\n`)
  const level = logLevels.find(each => each === values['log-level'])
  if (level === undefined) throw new CloudburstError('CB_USAGE', `--log-level takes ${logLevels.join(', ')}, not ${values['log-level']}`)
  return await run(values, level)
}

async function run(
  values: { readonly home?: string | undefined; readonly listen?: string[] | undefined; readonly 'no-mdns'?: boolean | undefined },
  level: LogLevel
): Promise<number> {
  // Before the daemon: its steps get what is left of the environment.
  const systemd = notifying()
  const tried = takeTried()
  const stopping = new Promise<NodeJS.Signals>(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve)
  })
  const { startDaemon } = await import('./daemon.ts')
  const daemon = await startDaemon({
    ...(values.home !== undefined && { home: values.home }),
    ...(values.listen !== undefined && { listen: values.listen }),
    mdns: values['no-mdns'] !== true,
    level,
    returned: takeReturned(),
    ...(tried !== undefined && { tried })
  })
  await systemd.ready()
  const next = await Promise.race([stopping.then(() => undefined), daemon.stopRequested])
  if (next === undefined) await systemd.stopping()
  // Whoever gives way to another release does so in any case: the other node waits for it, and the store stands a kill.
  await Promise.race([daemon.stop(), ...(next === undefined ? [] : [pause(GIVE_WAY_MS)])])
  if (next !== undefined) handOver(next, tried, { ...process.env, ...systemd.variables })
  return 0
}

function say(text: string): number {
  process.stdout.write(text)
  return 0
}

function fail(error: unknown): number {
  if (error instanceof CloudburstError) {
    process.stderr.write(`error: ${error.message}\nnext: ${atHome(error.next, givenHome())}\n`)
    return error.exit
  }
  const usage = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  process.stderr.write(
    `error: ${usage ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\nnext: cloudburstd --help\n`
  )
  return usage ? 64 : 1
}

/** `--home` as it was given, for a command to paste; the words may be such as cannot be parsed. */
function givenHome(): string | undefined {
  const [, home] = /^--home=(.*)$/s.exec(process.argv.find(word => word.startsWith('--home=')) ?? '') ?? []
  const at = process.argv.indexOf('--home')
  const word = home ?? (at < 0 ? undefined : process.argv[at + 1])
  return word === undefined ? undefined : shellWord(word)
}

process.exit(await main().catch(fail))
