import { other } from './b.ts'
async function f(): Promise<void> {}
export function g(): void {
  f()
  other()
  const x: { run(): Promise<number> } = { run: async () => 1 }
  x.run()
  new Function('a')
  eval('1')
  setTimeout('alert', 1)
  Promise.resolve(1).then(a => a)
  const y: any = 1
  ;[1].forEach(async () => { await other() })
  console.log(y)
}
