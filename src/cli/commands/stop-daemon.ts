import { controlBase } from '../../node/control/contract.ts'
import { type Invocation, noWords } from '../arguments.ts'
import { daemonless } from '../daemonless.ts'
import { bySudo, kindOf } from './start-daemon.ts'

/** Ends the daemon; it is no error when none runs. */
export async function run(invocation: Invocation): Promise<number> {
  noWords(invocation)
  const { options, io } = invocation
  if (options.sudo && io.uid !== 0) return await bySudo()
  const service = await (await daemonless()).services()
  const kind = kindOf(invocation, service.serviceKinds, service.serviceKind(io.uid))
  if (kind !== 'background') service.stopService(kind, options.remove === true)
  await service.stopBackground(controlBase(options.home, io.env, io.uid))
  return 0
}
