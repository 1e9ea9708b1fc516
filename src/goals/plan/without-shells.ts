/** A probe that starts nothing: what pure shells would say is not known. For `plan --no-probe`. */
import type { Fact, Probe } from '../ports.ts'

const NOT_KNOWN: Fact = { kind: 'tree', value: { unknown: true } }

/** The same probe without shells. */
export function withoutShells(probe: Probe): Probe {
  return {
    gather: async queries => {
      const asked = queries.filter(({ kind }) => kind !== 'shell')
      const facts = asked.length === 0 ? [] : await probe.gather(asked)
      let next = 0
      return queries.map(query => (query.kind === 'shell' ? NOT_KNOWN : (facts[next++] ?? NOT_KNOWN)))
    }
  }
}
