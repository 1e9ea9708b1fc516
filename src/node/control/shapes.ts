/** The shape of every request of LocalCalls (contract.ts). The compiler insists on a row for each, of the right type. */
import * as v from 'valibot'
import { capabilities } from '../../crypto/capability.ts'
import { goalRequest } from '../../protocols/agency/shapes.ts'
import { countShape, listOf, modeShape, nameShape, textShape } from '../../protocols/shapes.ts'
import type { LocalCalls } from './contract.ts'

const nothing = v.strictObject({})

export const localShapes: { readonly [N in keyof LocalCalls]: v.GenericSchema<unknown, LocalCalls[N]['request']> } = {
  peers: nothing,
  dispatch: v.strictObject({
    ...goalRequest,
    peers: listOf(nameShape),
    mode: v.exactOptional(modeShape),
    acceptWithinMs: v.exactOptional(countShape),
    wait: v.exactOptional(v.boolean()),
    parallel: v.exactOptional(v.pipe(countShape, v.minValue(1))),
    failuresMax: v.exactOptional(
      v.union([v.strictObject({ count: countShape }), v.strictObject({ percent: v.pipe(v.number(), v.minValue(0), v.maxValue(100)) })])
    )
  }),
  anticipate: v.strictObject({ ...goalRequest, peers: listOf(nameShape) }),
  abandon: v.strictObject({ id: nameShape, why: v.exactOptional(textShape) }),
  ticket: v.strictObject({
    lifetimeMs: v.exactOptional(countShape),
    capabilities: v.exactOptional(v.array(v.picklist(capabilities))),
    ours: v.exactOptional(v.array(v.picklist(capabilities))),
    granted: v.exactOptional(v.strictObject({ element: textShape, grant: textShape })),
    email: v.exactOptional(nameShape),
    boundTo: v.exactOptional(nameShape)
  }),
  trust: v.strictObject({ statements: v.pipe(v.array(textShape), v.maxLength(64)) }),
  grants: nothing,
  rights: v.strictObject({
    who: nameShape,
    capability: v.exactOptional(v.picklist(capabilities)),
    program: v.exactOptional(nameShape),
    goal: v.exactOptional(nameShape),
    vars: v.exactOptional(listOf(nameShape))
  }),
  signin: nothing,
  checkstore: nothing,
  artifacts: nothing,
  keepfile: v.strictObject({ path: textShape }),
  fetchfile: v.strictObject({ hash: nameShape, peer: v.exactOptional(nameShape), to: v.exactOptional(textShape) }),
  dropfile: v.strictObject({ hash: nameShape }),
  doctor: nothing,
  shutdown: nothing
}
