import { CloudburstError } from '../../errors.ts'
import { oneLine } from '../../goals/render/escape.ts'
import type { Invocation } from '../arguments.ts'
import { daemonless } from '../daemonless.ts'
import { tell } from '../granting.ts'
import { hostsOf, reaching } from '../reaching.ts'

const PORT = 4710

/** Ends and removes what was delivered, and takes its node out of this one's neighbours and permits. */
export async function run(invocation: Invocation): Promise<number> {
  const { options, io } = invocation
  const hosts = hostsOf(invocation)
  const { delivery, homes } = await daemonless()
  const { undeliver, forget, takeBack } = await delivery()
  const { resolveHome } = await homes()
  const { connect, becomePassword } = await reaching(invocation)
  let exit = 0
  for (const host of hosts) {
    try {
      const remote = await connect(host)
      try {
        const { peer } = await undeliver(remote, {
          sudo: options.sudo === true,
          becomePassword: becomePassword(host),
          keepHome: options['keep-home'] === true,
          port: PORT,
          ...(options.via === 'rpm' ? { via: 'rpm' as const } : {}),
          ...(options.prefix === undefined ? {} : { prefix: options.prefix })
        })
        if (peer !== undefined && !options['keep-home']) {
          const home = resolveHome(options.home, io.env, io.uid)
          await tell(invocation, takeBack(home, peer))
          forget(home, peer)
        }
        io.stdout.write(`${host}: removed${peer === undefined ? '' : `, ${peer} is forgotten`}\n`)
      } finally {
        remote.close()
      }
    } catch (error) {
      if (!(error instanceof CloudburstError)) throw error
      io.stderr.write(`error: ${oneLine(error.message)}\nnext: ${oneLine(error.next)}\n`)
      exit ||= error.exit
    }
  }
  return exit
}
