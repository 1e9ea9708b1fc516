import assert from 'node:assert/strict'
import { graphOfPlan } from '../../../src/goals/graph/plan-graph.ts'
import { stage } from '../pursuit/stage.ts'

const send = (name: string, text: string): string => `<shell><send name="${name}">${text}</send></shell>`
const xml = `<goalProto name="g"><variable name="port">80</variable><variable name="other"/><method name="m">
  ${send('look', 'look')}
  <h><variable name="port"><get>goal.port</get></variable><variable name="seen"><get>goal.look.stdout</get></variable></h>
  <goalCompleted name="h" peer="web1"><variable name="seen"><get>goal.look.stdout</get></variable></goalCompleted>
  ${send('use', 'use <get quote="shell">goal.port</get>')}</method></goalProto>
<goalProto name="h"><variable name="port"/><variable name="seen"/><method name="m">${send('find', 'find <get quote="shell">goal.seen</get>')}
  <update><set>goal.port</set><get>goal.find.stdout</get></update></method></goalProto>`

describe('the graph of a plan with sub-goals', () => {
  it('shows what goes into them and what comes back', async () => {
    const graph = graphOfPlan(await stage({ xml, goal: 'g' }).plan())
    const edges = graph.edges.filter(({ kind }) => kind === 'data').map(({ from, to, paths }) => `${from} → ${to}: ${paths?.join(' ')}`)
    assert.ok(edges.includes('g/m/look → g/m>h: goal.look.stdout'), edges.join('\n'))
    assert.ok(edges.includes('g/m/look → g/m>h.2: goal.look.stdout'), edges.join('\n'))
    assert.ok(edges.includes('g/m>h → g/m/use: goal.port'), edges.join('\n'))
  })

  it('says where each is done, and where each stands in the program', async () => {
    const { nodes } = graphOfPlan(await stage({ xml, goal: 'g' }).plan())
    assert.deepEqual(
      nodes.map(({ id, peer }) => [id, peer]).filter(([, peer]) => peer !== undefined),
      [['g/m>h.2', 'web1']]
    )
    assert.deepEqual(
      nodes.map(({ place }) => `${place.file}:${place.line}`),
      ['test.xml:1', 'test.xml:2', 'test.xml:6', 'test.xml:6', 'test.xml:7', 'test.xml:4', 'test.xml:5']
    )
  })

  it('has no order among what may be done side by side, so many at a time', async () => {
    const orderOf = async (body: string): Promise<string[]> => {
      const it = stage({
        xml: `<goalProto name="g"><method name="m">${send('first', '1')}${body}${send('last', '9')}</method></goalProto>`,
        goal: 'g'
      })
      const { edges } = graphOfPlan(await it.plan())
      return edges.filter(({ kind }) => kind === 'order').map(({ from, to }) => `${from.slice(4)} ${to.slice(4)}`)
    }
    const three = `${send('a', 'a')}${send('b', 'b')}${send('c', 'c')}`
    assert.deepEqual(await orderOf(three), ['first a', 'a b', 'b c', 'c last'])
    assert.deepEqual(await orderOf(`<do parallel="3">${three}</do>`), ['first a', 'first b', 'first c', 'a last', 'b last', 'c last'])
    assert.deepEqual(await orderOf(`<do parallel="2">${three}</do>`), ['first a', 'first b', 'a c', 'b last', 'c last'])
    assert.deepEqual(await orderOf('<repeat parallel="2"><count>0</count><wait seconds="1"/></repeat>'), ['first last'])
    const nested = `<do parallel="2"><do>${send('a', 'a')}${send('b', 'b')}</do>${send('c', 'c')}</do>`
    assert.deepEqual(await orderOf(nested), ['first a', 'a b', 'first c', 'b last', 'c last'])
  })
})
