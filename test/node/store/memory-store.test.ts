import { aStore } from '../../compliance/store.ts'
import { memoryStore } from '../../../src/node/store/memory-store.ts'

describe('a store that keeps nothing', () => {
  aStore(async () => memoryStore())
})
