import { spawn } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { controlBase } from '../../node/control/contract.ts'
import { CloudburstError } from '../../errors.ts'
import { type Invocation, milliseconds, noWords } from '../arguments.ts'
import { daemonless } from '../daemonless.ts'
import { showOne } from '../output.ts'
import { daemonOf, homeWords } from '../session.ts'

/** How long a daemon may take until it answers, in milliseconds. */
const READY_MS = 60_000
const READY_POLL_MS = 50

/** Starts the daemon, and returns when it answers. */
export async function run(invocation: Invocation): Promise<number> {
  noWords(invocation)
  const { options, io } = invocation
  const { services } = await daemonless()
  const service = await services()
  const programs = service.programsOf(process.argv[1] ?? '')
  if (options.sudoers !== undefined) {
    io.stdout.write(service.sudoers(options.sudoers, programs))
    return 0
  }
  if (options.sudo && io.uid !== 0) return await bySudo()
  const kind = kindOf(invocation, service.serviceKinds, service.serviceKind(io.uid))
  const base = controlBase(options.home, io.env, io.uid)
  const user = options['service-user'] ?? (base === controlBase(undefined, {}, 0) ? 'cloudburst' : 'root')
  if (kind === 'background') {
    await service.startBackground({ ...programs, user, base, words: homeWords(invocation) }, options.restart === true)
    await answering(invocation, () => service.endedEarly(base))
  } else {
    service.startService(kind, { ...programs, user }, options.restart === true)
    await answering(invocation, () => undefined)
  }
  const { peer } = await hello(invocation)
  await showOne(invocation, { peer, service: kind }, peer, () => [
    `runs as ${kind === 'background' ? 'a process in the background' : `a service of ${kind}`}`,
    `peer ${peer}`
  ])
  return 0
}

/**
 * How the daemon is kept: as a service only for the home of the machine itself.
 * @throws CloudburstError CB_USAGE
 */
export function kindOf<K extends string>({ options, command, io }: Invocation, kinds: readonly K[], found: K): K | 'background' {
  const base = controlBase(options.home, io.env, io.uid)
  const ofMachine = base === controlBase(undefined, {}, 0)
  if (options.service === undefined) return ofMachine ? found : 'background'
  const kind = kinds.find(each => each === options.service)
  if (kind === undefined) throw new CloudburstError('CB_USAGE', `--service takes ${kinds.join(', ')}, not ${options.service}`, { command })
  if (kind !== 'background' && !ofMachine)
    throw new CloudburstError('CB_USAGE', `a service of ${kind} is for the home of the machine, not for ${base}: --service background`, {
      command
    })
  return kind
}

/** This command again, as root; sudo asks at the terminal if it has to. @returns its exit status */
export async function bySudo(): Promise<number> {
  const words = process.argv.slice(2).filter(word => word !== '--sudo')
  const { programsOf } = await (await daemonless()).services()
  const { cli } = programsOf(process.argv[1] ?? '')
  const command = cli.endsWith('.js') ? [process.execPath, cli] : [cli]
  const child = spawn('sudo', [...(process.stdin.isTTY ? [] : ['-n']), ...command, ...words], { stdio: 'inherit' })
  return await new Promise((resolve, reject) => {
    child.once('error', () =>
      reject(new CloudburstError('CB_HOST_DENIED', 'there is no sudo here', { fix: `su -c 'cloudburst ${words.join(' ')}'` }))
    )
    child.once('exit', code => resolve(code ?? 1))
  })
}

async function hello(invocation: Invocation) {
  return await daemonOf(invocation).agency().call('hello', {}, { peer: '', node: '' })
}

async function answering(invocation: Invocation, ended: () => CloudburstError | undefined): Promise<void> {
  const { options, io } = invocation
  const within = options.timeout === undefined ? READY_MS : milliseconds(options.timeout, 'timeout')
  for (const end = Date.now() + within; ; ) {
    try {
      await hello(invocation)
      return
    } catch (error) {
      const why = ended()
      if (why !== undefined) throw why
      if (Date.now() > end) throw error
    }
    await pause(READY_POLL_MS, undefined, { signal: io.interrupted })
  }
}
