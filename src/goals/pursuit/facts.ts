/** What is known of the machine in one stretch, and the secrets that were looked up for it. */
import { factKey } from '../expression/fact-key.ts'
import { maskText, markSecrets } from '../expression/secrets.ts'
import type { Fact, FactQuery, Probe, Vault } from '../ports.ts'
import type { Tree } from '../tree.ts'

export class Facts {
  readonly #known: Map<string, Fact>
  readonly #probe: Probe
  readonly #vault: Vault
  /** Secrets looked up in this stretch: what a command repeats of them is not written down. */
  readonly #opened = new Set<string>()

  /** @param known is filled in place */
  constructor(known: Map<string, Fact>, { probe, vault }: { readonly probe: Probe; readonly vault: Vault }) {
    this.#known = known
    this.#probe = probe
    this.#vault = vault
  }

  async gather(queries: readonly FactQuery[]): Promise<void> {
    const ofMachine = queries.filter(query => query.kind !== 'secret')
    const facts = ofMachine.length === 0 ? [] : await this.#probe.gather(ofMachine)
    for (const [i, query] of ofMachine.entries()) {
      const fact = facts[i]
      if (fact !== undefined) this.#known.set(factKey(query), fact)
    }
    for (const query of queries) {
      if (query.kind !== 'secret') continue
      const value = await this.#vault.open(query.sealed)
      if (value !== undefined) this.#opened.add(value)
      this.#known.set(factKey(query), { kind: 'text', value })
    }
  }

  /** A step may have changed anything about the machine; time and identifiers stay. */
  forget(): void {
    for (const key of this.#known.keys()) if (!key.startsWith('{"kind":"now"') && !key.startsWith('{"kind":"uuid"')) this.#known.delete(key)
  }

  /** `text` without the secrets that were looked up. */
  masked(text: string): string {
    return maskText(text, this.#opened)
  }

  /** `value` with what repeats a secret made a secret itself. */
  marked(value: Tree): Tree {
    return markSecrets(value, this.#opened)
  }
}
