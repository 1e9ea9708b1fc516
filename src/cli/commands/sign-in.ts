import { type Invocation, noWords } from '../arguments.ts'
import { factLines, showOne } from '../output.ts'
import { daemonOf } from '../session.ts'

/** A code for one browser or program to sign in with, at the control API over the network. */
export async function run(invocation: Invocation): Promise<number> {
  noWords(invocation)
  const info = await daemonOf(invocation).local('signin', {})
  await showOne(invocation, info, info.code, () => [
    ...factLines([
      ['code', info.code],
      ['until', new Date(info.expiresAt).toISOString()],
      ['certificate', info.authority]
    ]),
    ...info.addresses
  ])
  return 0
}
