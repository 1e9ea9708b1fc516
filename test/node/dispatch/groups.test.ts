import assert from 'node:assert/strict'
import { Groups } from '../../../src/node/dispatch/groups.ts'

const group = (at: number, failuresMax?: number) => ({ id: 'g', at, parallel: 2, ...(failuresMax !== undefined && { failuresMax }) })

describe('a goal sent to many nodes', () => {
  it('is sent to so many at a time, in their order', () => {
    const groups = new Groups()
    for (const at of [3, 1, 0, 2]) groups.set(`n${at}`, group(at), 'waiting')
    assert.deepEqual(groups.next('g'), ['n0', 'n1'])
    groups.set('n0', group(0), 'running')
    groups.set('n1', group(1), 'running')
    assert.deepEqual(groups.next('g'), [])
    groups.set('n0', group(0), 'done')
    assert.deepEqual(groups.next('g'), ['n2'])
  })

  it('is not held up by a node that is away and may be', () => {
    const groups = new Groups()
    groups.set('n0', group(0), 'away')
    groups.set('n1', group(1), 'running')
    groups.set('n2', group(2), 'waiting')
    assert.deepEqual(groups.next('g'), ['n2'])
  })

  it('is sent to no more once too many have failed, and says how many', () => {
    const groups = new Groups()
    groups.set('n0', group(0, 1), 'failed')
    groups.set('n1', group(1, 1), 'done')
    groups.set('n2', group(2, 1), 'waiting')
    assert.deepEqual(groups.next('g'), ['n2'])
    groups.set('n1', group(1, 1), 'failed')
    assert.deepEqual(groups.next('g'), [])
    assert.equal(groups.exhausted('g'), '2 of 3 nodes failed, more than 1')
    assert.deepEqual(groups.waiting('g'), ['n2'])
  })

  it('is as if a failure had not been, when its goal was repaired', () => {
    const groups = new Groups()
    groups.set('n0', group(0, 0), 'failed')
    groups.set('n1', group(1, 0), 'waiting')
    assert.notEqual(groups.exhausted('g'), undefined)
    groups.set('n0', group(0, 0), 'done')
    assert.deepEqual(groups.next('g'), ['n1'])
  })
})
