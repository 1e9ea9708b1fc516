/** Sub-goals on other nodes that goals of this one wait for: what is to be said of those that do not simply go on there. */
import type { Task } from './dispatch-task.ts'

/** What each goal has sent to others and waits for. */
export class Awaited {
  readonly #tasks = new Map<string, Set<Task>>()
  readonly #listeners = new Map<string, Set<() => void>>()

  /** A goal is sent; whoever follows the one that needs it is told of it from here on. */
  enter(task: Task): void {
    const parent = parentOf(task)
    if (parent === undefined) return
    const tasks = this.#tasks.get(parent) ?? new Set()
    this.#tasks.set(parent, tasks.add(task))
    task.listeners.add(() => this.#tell(parent))
  }

  /** Nothing more is to be waited for. */
  leave(task: Task): void {
    const parent = parentOf(task)
    const tasks = parent === undefined ? undefined : this.#tasks.get(parent)
    if (parent === undefined || tasks === undefined) return
    tasks.delete(task)
    if (tasks.size === 0) this.#tasks.delete(parent)
  }

  /** Why the goal `id` has to wait, one text for each sub-goal. */
  by(id: string): readonly string[] {
    return [...(this.#tasks.get(id) ?? [])].map(textOf).filter(text => text !== undefined)
  }

  /** @returns ends it */
  onChange(id: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(id) ?? new Set()
    this.#listeners.set(id, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#listeners.delete(id)
    }
  }

  #tell(parent: string): void {
    for (const listener of this.#listeners.get(parent) ?? []) listener()
  }
}

/** The goal that a goal was sent for: the last of its chain. */
function parentOf({ record: { request } }: Task): string | undefined {
  return request.chain.at(-1)?.split(':', 1)[0]
}

function textOf({ record: { id, request, node, error }, suspended, waiting, waitingSince }: Task): string | undefined {
  const since = waitingSince === undefined ? '' : `, since ${new Date(waitingSince).toISOString()}`
  const why = waiting === undefined ? error?.message : `${waiting}${since}`
  if (why !== undefined) return `${request.goal} on ${node}: ${why}`
  return suspended ? `${request.goal} on ${node} waits for repair there: ${id}` : undefined
}
