/**
 * Every failure that a person or a peer may see has one of these codes.
 * The code is the contract: messages may be reworded, codes may not.
 *
 * `exit` is the CLI's exit status (docs/cli.md), `http` the status of the control API,
 * `next` the command to type; `<…>` in it is filled from the error's details where they are known.
 */
export const errors = {
  CB_USAGE: { exit: 64, http: 400, next: 'cloudburst --help' },
  CB_INTERNAL: { exit: 1, http: 500, next: 'cloudburst hello' },

  // words and programs
  CB_PROGRAM_INVALID: { exit: 1, http: 422, next: 'vi +<line> <file>' },
  CB_PROGRAM_UNKNOWN: { exit: 1, http: 404, next: 'cloudburst programs' },
  CB_GOAL_UNKNOWN: { exit: 1, http: 404, next: 'cloudburst list' },
  CB_AGENT_UNKNOWN: { exit: 1, http: 404, next: 'cloudburst agents' },
  CB_AGENT_EXISTS: { exit: 1, http: 409, next: 'cloudburst examine <agent>' },
  CB_CONFIG_INCOMPLETE: { exit: 5, http: 422, next: 'cloudburst plan <goal>' },
  CB_VALUE_INVALID: { exit: 5, http: 422, next: 'cloudburst list -o wide' },
  CB_XML_INVALID: { exit: 1, http: 422, next: 'vi +<line> <file>' },
  CB_SCRIPT_INVALID: { exit: 1, http: 422, next: 'bash -n <file>' },

  // runs
  CB_RUN_UNKNOWN: { exit: 1, http: 404, next: 'cloudburst goals' },
  CB_RUN_COMPACTED: { exit: 1, http: 410, next: 'cloudburst goal <id>' },
  CB_NOT_SUSPENDED: { exit: 1, http: 409, next: 'cloudburst goal <id>' },
  CB_GOAL_SUSPENDED: { exit: 3, http: 409, next: 'cloudburst goal <id>' },
  CB_PLAN_STALE: { exit: 4, http: 409, next: 'cloudburst plan <goal> --out <file>' },
  CB_BUSY: { exit: 1, http: 429, next: 'cloudburst goals' },

  // trust
  CB_DENIED: { exit: 6, http: 403, next: 'cloudburst peers -o wide' },
  CB_PERMISSIONS_INVALID: { exit: 1, http: 422, next: 'vi +<line> <file>' },
  CB_TICKET_INVALID: { exit: 6, http: 403, next: 'cloudburst init --ticket' },
  CB_AUDIT_DAMAGED: { exit: 1, http: 500, next: 'cloudburst audit' },
  CB_FILE_UNSAFE: { exit: 1, http: 500, next: '<fix>' },

  // mesh
  CB_PEER_UNKNOWN: { exit: 7, http: 404, next: 'cloudburst peers' },
  CB_PEER_UNREACHABLE: { exit: 7, http: 502, next: 'cloudburst peers' },
  CB_FRAME_TOO_LONG: { exit: 1, http: 413, next: 'cloudburst hello --peer <peer>' },
  CB_FRAME_INVALID: { exit: 1, http: 400, next: 'cloudburst hello --peer <peer>' },
  CB_SIGNATURE_INVALID: { exit: 1, http: 403, next: 'cloudburst hello --peer <peer>' },
  CB_NEIGHBORHOOD_INVALID: { exit: 1, http: 422, next: 'vi +<line> <file>' },
  CB_ARTIFACT_UNKNOWN: { exit: 1, http: 404, next: 'cloudburst artifact list' },
  CB_NOT_SENT: { exit: 1, http: 409, next: 'cloudburst goals' },
  CB_REQUEST_EXPIRED: { exit: 1, http: 410, next: 'cloudburst dispatch <goal> --peer <peer>' },

  // the machine
  CB_NO_DAEMON: { exit: 1, http: 502, next: 'cloudburstd --home <home>' },
  CB_ALREADY_RUNNING: { exit: 1, http: 409, next: 'cloudburst hello --home <home>' },
  CB_PORT_TAKEN: { exit: 1, http: 409, next: 'cloudburstd --listen /ip4/0.0.0.0/tcp/0' },
  CB_STORE_DEGRADED: { exit: 1, http: 507, next: 'df -h <home>' },
  CB_STORE_DAMAGED: { exit: 1, http: 500, next: 'cloudburst goals --suspended' },
  CB_STORE_NOT_EMPTY: { exit: 1, http: 409, next: 'cloudburst store export <file>' },
  CB_STORE_NEWER: { exit: 1, http: 500, next: 'cloudburstd --version' },
  CB_HOME_MISSING: { exit: 1, http: 404, next: 'cloudburst init' },
  CB_HOME_EXISTS: { exit: 1, http: 409, next: 'cloudburst hello' },
  CB_TIMEOUT: { exit: 124, http: 504, next: 'cloudburst goal <id>' },

  // delivery
  CB_ARTEFACT_MISSING: { exit: 1, http: 404, next: 'npm run package' },
  CB_HOST_UNREACHABLE: { exit: 7, http: 502, next: 'ssh <host> true' },
  CB_HOST_UNKNOWN: { exit: 6, http: 403, next: 'cloudburst deliver <host> --host-key <fingerprint>' },
  CB_HOST_CHANGED: { exit: 6, http: 403, next: 'ssh-keygen -R <host>' },
  CB_HOST_DENIED: { exit: 6, http: 403, next: '<fix>' },
  CB_HOST_UNFIT: { exit: 1, http: 409, next: '<fix>' },
  CB_DELIVERY_FAILED: { exit: 1, http: 500, next: '<fix>' },
  CB_INTERRUPTED: { exit: 130, http: 499, next: 'cloudburst logs <id> --follow' }
} as const

export type ErrorCode = keyof typeof errors

/** What fills the `<…>` of an error's `next`, and what `-o json` shows beside the message. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>

/** The form in which an error crosses a wire: no stack, no secret. */
export interface ErrorData {
  readonly code: ErrorCode
  readonly message: string
  readonly details?: ErrorDetails
}

/**
 * A failure of the world: expected, coded, shown to a person. A failure of ours is an AssertionError.
 * The message is a lower-case sentence that names the thing and the place.
 */
export class CloudburstError extends Error {
  override readonly name = 'CloudburstError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }

  /** The command to type next, with what is known filled in, as words of a shell; where it is not, a word in capitals stands for it. */
  get next(): string {
    const { next } = errors[this.code]
    return next.replace(/<(\w+)>/g, (hole, key: string) => {
      const value = this.details[key]
      if (typeof value !== 'string' && typeof value !== 'number') return key.toUpperCase()
      return hole === next || /^[\w./:@%+=,-]+$/.test(String(value)) ? String(value) : `'${String(value).replaceAll("'", "'\\''")}'`
    })
  }

  /** Exit status of a command that ends with this error. */
  get exit(): number {
    return errors[this.code].exit
  }
}

/** `error` as data for a peer or a control client; anything unexpected becomes CB_INTERNAL without its text's stack. */
export function toErrorData(error: unknown): ErrorData {
  if (error instanceof CloudburstError) return { code: error.code, message: error.message, details: error.details }
  return { code: 'CB_INTERNAL', message: error instanceof Error ? error.message : String(error) }
}

/** The error that {@link toErrorData} described; a code that this version does not know becomes CB_INTERNAL. */
export function fromErrorData(data: ErrorData): CloudburstError {
  const code = Object.hasOwn(errors, data.code) ? data.code : 'CB_INTERNAL'
  return new CloudburstError(code, data.message, data.details)
}

/** Media type of {@link Problem}, RFC 9457. */
export const PROBLEM_TYPE = 'application/problem+json'

/** An error as HTTP and `-o json` show it: RFC 9457 problem details. */
export interface Problem {
  /** `urn:cloudburst:error:CB_…` */
  readonly type: string
  /** The code in words: `peer unknown`. */
  readonly title: string
  /** HTTP status. */
  readonly status: number
  /** The message. */
  readonly detail: string
  readonly code: ErrorCode
  readonly details: ErrorDetails
  /** The command to type next. */
  readonly next: string
}

/** `error` as problem details, without stack or cause. */
export function toProblem(error: unknown): Problem {
  const known = error instanceof CloudburstError ? error : fromErrorData(toErrorData(error))
  return {
    type: `urn:cloudburst:error:${known.code}`,
    title: known.code.slice('CB_'.length).toLowerCase().replaceAll('_', ' '),
    status: errors[known.code].http,
    detail: known.message,
    code: known.code,
    details: known.details,
    next: known.next
  }
}

/** `next` for the node at `home`, a word for the shell: a command of ours that names no home would ask another node. */
export function atHome(next: string, home: string | undefined): string {
  const ours = /^(cloudburstd?)( |$)/.exec(next)
  if (home === undefined || ours === null || next.includes(' --home ')) return next
  return `${next} --home ${home}`
}
