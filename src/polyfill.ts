/**
 * What our dependencies need and Node 20 lacks: `Promise.withResolvers`, used throughout libp2p.
 * Imported first by every entry point (src/cli/main.ts, src/node/main.ts), because imports run in order.
 */
function withResolvers<T>(this: PromiseConstructor): PromiseWithResolvers<T> {
  let resolve!: PromiseWithResolvers<T>['resolve']
  let reject!: PromiseWithResolvers<T>['reject']
  const promise = new this<T>((onResolved, onRejected) => {
    resolve = onResolved
    reject = onRejected
  })
  return { promise, resolve, reject }
}

Promise.withResolvers ??= withResolvers
