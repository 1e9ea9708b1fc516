import assert from 'node:assert/strict'
import { Graphviz } from '@hpcc-js/wasm-graphviz'
import { collapsed } from '../../../src/goals/graph/collapse.ts'
import { dotText } from '../../../src/goals/graph/dot.ts'
import type { Graph, GraphEdge } from '../../../src/goals/graph/graph.ts'
import { withCriticalPath } from '../../../src/goals/graph/longest-way.ts'
import { mermaidText } from '../../../src/goals/graph/mermaid.ts'
import { graphOfPlan } from '../../../src/goals/graph/plan-graph.ts'
import { graphOfRun } from '../../../src/goals/graph/run-graph.ts'
import type { Plan, PlanNode } from '../../../src/goals/plan/plan.ts'
import type { GoalEvent, GoalEventBody } from '../../../src/goals/pursuit/events.ts'
import { stage } from '../pursuit/stage.ts'

const place = { file: 'site.xml', line: 3, col: 5 }

describe('the graph of a plan', () => {
  const graph = graphOfPlan(
    plan(
      goal('site'),
      step('site/make', 'site', { writes: ['goal.node'] }),
      step('site/look', 'site', { needs: ['site/make'], writes: ['goal.port'] }),
      goal('site>user', { parent: 'site', needs: ['site/look'] }),
      step('site>user/add', 'site>user', { reads: ['goal.port'] }),
      step('site/serve', 'site', { needs: ['site>user'], reads: ['goal.node.ip', 'goal.port'] })
    )
  )

  it('has an edge from who writes a value to who reads it, part of it or what it is part of', () => {
    assert.deepEqual(edgesOf(graph, 'data'), [
      ['site/make', 'site/serve', 'goal.node.ip'],
      ['site/look', 'site/serve', 'goal.port']
    ])
  })

  it('has the order of what stands one after the other, and the sub-goals of each goal', () => {
    assert.deepEqual(edgesOf(graph, 'order'), [
      ['site/make', 'site/look', undefined],
      ['site/look', 'site>user', undefined],
      ['site>user', 'site/serve', undefined]
    ])
    assert.deepEqual(edgesOf(graph, 'part'), [['site', 'site>user', undefined]])
  })

  it('is drawn as DOT that Graphviz lays out, whatever its texts hold', async () => {
    const texts = ['"', '\\', '\\"', 'a\nb', '<b>&amp;</b>', 'ü\u202e\u001b[31m', '->', '];}', '\\n\\', 'ends with \\']
    const odd = graphOfPlan(plan(goal('odd "goal" \\'), ...texts.map((text, at) => step(`s${at}`, 'odd "goal" \\', { text }))))
    const svg = (await Graphviz.load()).dot(dotText(odd, 'goal'), 'svg')
    assert.equal(svg.match(/class="node"/g)?.length, texts.length + 1)
    assert.ok(svg.includes('+ ];}'))
    assert.ok(!dotText(odd, 'goal').includes('\u001b'))
  })

  it('draws goals as frames, or one frame a peer', () => {
    assert.equal(dotText(graph, 'goal').match(/subgraph/g)?.length, 2)
    const peers = graphOfPlan(
      plan(goal('site'), step('a', 'site', { peer: 'node2' }), step('b', 'site', { peer: 'node2' }), step('c', 'site', {}))
    )
    assert.deepEqual(dotText(peers, 'peer').match(/label="[^"+]*" style/g), ['label="here" style', 'label="@node2" style'])
    assert.equal(dotText(peers, 'none').match(/subgraph/g), null)
  })

  it('is drawn as Mermaid with nothing in a label that it would read', () => {
    const text = mermaidText(graphOfPlan(plan(goal('g'), step('s', 'g', { text: 'echo "<b>" | tee `x`; end' }))), 'goal')
    assert.match(text, /n2\["\+ echo #34;#60;b#62;#34; #124; tee #96;x#96;#59; end"\]:::to-do/)
  })

  it('is the same bytes each time', () => {
    assert.equal(dotText(graph, 'goal'), dotText(structuredClone(graph), 'goal'))
  })

  it('draws deep goals as one box, with the edges of what is in it', () => {
    const shallow = collapsed(graph, 2)
    assert.deepEqual(
      shallow.nodes.map(({ id, kind }) => [id, kind]),
      [
        ['site', 'goal'],
        ['site/make', 'step'],
        ['site/look', 'step'],
        ['site>user', 'collapsed'],
        ['site/serve', 'step']
      ]
    )
    assert.equal(shallow.nodes[3]?.label, 'user: 1 step')
    assert.deepEqual(
      collapsed(graph, 1).nodes.map(({ label }) => label),
      ['site: 4 steps']
    )
    assert.deepEqual(collapsed(graph, 1).edges, [])
  })
})

describe('the longest way through a graph', () => {
  it('goes through sub-goals and skips what others wait longer for', () => {
    const nodes = [
      goal('g'),
      step('slow', 'g', {}),
      step('quick', 'g', {}),
      goal('g>sub', { parent: 'g', needs: ['slow', 'quick'] }),
      step('inner', 'g>sub', {}),
      step('last', 'g', { needs: ['g>sub'] })
    ]
    const times: Readonly<Record<string, number>> = { slow: 50, quick: 5, inner: 20, last: 1 }
    const made = graphOfPlan(plan(...nodes))
    const timed = {
      ...made,
      nodes: made.nodes.map(node => ({ ...node, ...(times[node.id] !== undefined && { durationMs: times[node.id] }) }))
    }
    const { graph, durationMs } = withCriticalPath(timed as Graph)
    assert.equal(durationMs, 71)
    assert.deepEqual(
      graph.nodes.filter(({ critical }) => critical).map(({ id }) => id),
      ['slow', 'inner', 'last']
    )
  })

  it('counts nothing for what is true already', () => {
    assert.equal(withCriticalPath(graphOfPlan(plan(goal('g'), step('a', 'g', { mark: '=' })))).durationMs, 0)
  })
})

describe('the graph of a goal that is pursued', () => {
  const began = (step: string, instance: string, reads = {}): GoalEventBody => ({
    type: 'step-began',
    step,
    instance,
    attempt: 1,
    kind: 'send',
    key: 'k',
    show: `do ${step}`,
    place,
    reads
  })
  const ended = (step: string, status: 'completed' | 'failed', path?: string): GoalEventBody => ({
    type: 'step-ended',
    step,
    attempt: 1,
    status,
    durationMs: 12,
    writes: path === undefined ? [] : [{ path, value: { value: 1 } }]
  })
  const bodies: readonly GoalEventBody[] = [
    { type: 'goal-began', instance: 'site', goal: 'site', place },
    { type: 'method-chosen', instance: 'site', method: 'files', place, candidates: [] },
    began('site/make', 'site'),
    ended('site/make', 'completed', 'goal.node.ip'),
    { type: 'goal-began', instance: 'site/files>user', goal: 'user', place },
    began('site/files>user/add', 'site/files>user', { 'agent.x': { value: 1 } }),
    ended('site/files>user/add', 'failed'),
    { type: 'suspended', code: 'step-failed', reason: 'exit 1', step: 'site/files>user/add' }
  ]

  it('has the status and the time of each step, and what waits with the one that failed', () => {
    assert.deepEqual(
      graphOfRun(events(bodies)).nodes.map(({ id, status, durationMs, parent }) => [id, parent, status, durationMs]),
      [
        ['site', undefined, 'suspended', undefined],
        ['site/make', 'site', 'done', 12],
        ['site/files>user', 'site', 'suspended', undefined],
        ['site/files>user/add', 'site/files>user', 'failed', 12]
      ]
    )
  })

  it('keeps one node for a step that is done again, and has its newest status', () => {
    const graph = graphOfRun(
      events([...bodies, began('site/files>user/add', 'site/files>user'), ended('site/files>user/add', 'completed')])
    )
    assert.equal(graph.nodes.length, 4)
    assert.equal(graph.nodes[3]?.status, 'done')
    assert.deepEqual(edgesOf(graph, 'order'), [['site/make', 'site/files>user', undefined]])
  })

  it('has no order among steps that were done side by side, and its longest way takes no longer than they did', () => {
    const two = (...names: readonly string[]): GoalEventBody[] => names.map(name => began(`site/${name}`, 'site'))
    const done = (...names: readonly string[]): GoalEventBody[] => names.map(name => ended(`site/${name}`, 'completed'))
    const all = [...bodies.slice(0, 4), ...two('a', 'b'), ...done('a'), ...two('c'), ...done('b', 'c'), ...two('x', 'y'), ...done('x', 'y')]
    const graph = graphOfRun(events([...all, ...two('last'), ...done('last')]))
    assert.deepEqual(
      edgesOf(graph, 'order').map(([from = '', to = '']) => `${from.slice(5)} ${to.slice(5)}`),
      ['make a', 'make b', 'a c', 'b x', 'c x', 'c y', 'x last', 'y last']
    )
    assert.equal(withCriticalPath(graph).durationMs, 5 * 12)
  })

  it('has an edge from who wrote a value to who read it', () => {
    const graph = graphOfRun(events([...bodies.slice(0, 4), began('site/serve', 'site', { 'goal.node': {} })]))
    assert.deepEqual(edgesOf(graph, 'data'), [['site/make', 'site/serve', 'goal.node']])
  })

  it('has the edges of the arguments of sub-goals, and of what comes back, that its plan has', async () => {
    const goals = `<goalProto name="g"><variable name="port">80</variable><method name="m"><shell><send name="look">look</send></shell>
      <h><variable name="port"><get>goal.port</get></variable><variable name="seen"><get>goal.look.stdout</get></variable></h>
      <shell><send name="use">use <get quote="shell">goal.port</get></send></shell></method></goalProto>
      <goalProto name="h"><variable name="port"/><variable name="seen"/><method name="m">
      <update><set>goal.port</set><get>goal.seen</get></update></method></goalProto>`
    const it = stage({ xml: goals, goal: 'g', play: () => ({ stdout: '8081' }) })
    const planned = edgesOf(graphOfPlan(await it.plan()), 'data')
    assert.equal(await it.go(), 'completed')
    assert.deepEqual(edgesOf(graphOfRun(it.events), 'data'), planned)
    assert.deepEqual(planned, [
      ['g/m/look', 'g/m>h', 'goal.look.stdout'],
      ['g/m>h', 'g/m/use', 'goal.port']
    ])
  })
})

function edgesOf({ edges }: Graph, kind: GraphEdge['kind']): (string | undefined)[][] {
  return edges.filter(edge => edge.kind === kind).map(({ from, to, paths }) => [from, to, paths?.join()])
}

function events(bodies: readonly GoalEventBody[]): GoalEvent[] {
  return bodies.map((body, at) => ({ goalId: 'g', seq: at + 1, at: at + 1, body }))
}

function goal(id: string, some: Partial<PlanNode> = {}): PlanNode {
  return { id, kind: 'goal', needs: [], mark: '+', text: id.split('>').at(-1) ?? id, reads: [], writes: [], place, ...some }
}

function step(id: string, parent: string, some: Partial<PlanNode>): PlanNode {
  return { id, kind: 'step', parent, needs: [], mark: '+', text: 'true', reads: [], writes: [], place, ...some }
}

function plan(...nodes: readonly PlanNode[]): Plan {
  const summary = { do: 0, redo: 0, undo: 0, possible: 0, alreadyTrue: 0 }
  return {
    version: 1,
    goal: nodes[0]?.id ?? '',
    program: { name: 'site', hash: 'ab' },
    variables: {},
    nodes,
    summary,
    basis: {},
    problems: []
  }
}
