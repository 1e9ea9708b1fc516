/** Structured logs: one JSON object a line on standard error, for journald and for `cloudburst logs`'s authors alike. */
import { type Logger, pino } from 'pino'

export type { Logger }

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** Keys whose values are never written, wherever they stand in what is logged. */
const SECRET_KEYS = ['secret', 'password', 'ticket', 'env', '*.secret', '*.password', '*.ticket', '*.env']

export function openLog(level: LogLevel): Logger {
  const destination = pino.destination({ dest: 2, sync: true })
  return pino(
    { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"`, redact: { paths: SECRET_KEYS, censor: '***' } },
    destination
  )
}
