/**
 * The words of the language: one table of elements and their attributes, which the reader checks against
 * and from which suggestions are made. Source: docs/language.md.
 */

/** Attributes that every element may carry. */
export const commonAttributes = ['enabled', 'debug'] as const
/** Attributes that every statement may carry besides. */
const statement = ['name', 'onFail', 'retries', 'backoff', 'timeout', 'idempotent'] as const
const declaration = ['name', 'type'] as const
const call = ['name', 'again', 'peer', 'where', 'onFail', 'retries', 'backoff', 'timeout', 'idempotent'] as const

/** Known elements with the attributes they may carry. */
export const elements: Readonly<Record<string, readonly string[]>> = {
  // definitions
  include: ['file'],
  struct: declaration,
  variable: declaration,
  list: declaration,
  state: ['name'],
  goalProto: ['name', 'symbol', 'goalSymbol'],
  method: ['name', 'targetGoalType', 'priority', 'symbol', 'goalSymbol'],
  agent: ['name'],
  // parts of definitions
  describe: ['locale'],
  referenceDoc: ['name'],
  url: [],
  pre: ['name'],
  post: ['name'],
  symbol: ['name'],
  goalSymbol: ['name'],
  // statements
  do: [...statement, 'parallel'],
  task: [...statement, 'parallel'],
  taskSequence: [...statement, 'parallel'],
  find: [...statement, 'symbol', 'parallel'],
  in: [],
  repeat: statement,
  count: [],
  shell: [...statement, 'shell', 'label', 'value', 'pure'],
  command: ['name'],
  send: [...statement, 'label'],
  tempFile: statement,
  update: statement,
  goalCompleted: call,
  // expressions
  get: ['quote', 'as'],
  rvalue: ['quote', 'as'],
  set: [],
  string: [],
  int: [],
  bool: [],
  op: ['name'],
  defined: [],
  fileTest: ['type'],
  pathExists: [],
  urlEncode: [],
  uuid: [],
  env: ['name'],
  now: []
}

/** Elements and attributes of the language that this version does not do yet: an error, never ignored. */
export const laterElements = new Set([
  'code',
  'python',
  'editFile',
  'wait',
  'correct',
  'undo',
  'snapshot',
  'secret',
  'receive',
  'service',
  'schedule',
  'host',
  'provider'
])
export const laterAttributes = new Set(['reuse'])

/** What may stand where, for suggestions. */
export const places = {
  program: ['include', 'struct', 'variable', 'list', 'state', 'goalProto', 'method', 'agent'],
  goal: ['describe', 'referenceDoc', 'variable', 'struct', 'list', 'pre', 'post', 'method'],
  method: ['describe', 'referenceDoc', 'pre', 'do', 'find', 'repeat', 'shell', 'tempFile', 'update', 'goalCompleted'],
  agent: ['describe', 'referenceDoc', 'variable', 'struct', 'list', 'pre', 'goalProto', 'method'],
  expression: [
    'get',
    'set',
    'string',
    'int',
    'bool',
    'op',
    'defined',
    'fileTest',
    'pathExists',
    'shell',
    'goalCompleted',
    'urlEncode',
    'uuid',
    'env',
    'now'
  ]
} as const

/** Names that mean something in every scope and so cannot name an instance or a find symbol. */
export const topNames = ['goal', 'agent', 'host', 'peer', 'nodes'] as const

/** Statements by element name; anything else in a body is an expression that must hold, or unknown. */
export const statementElements = new Set([
  'do',
  'task',
  'taskSequence',
  'find',
  'repeat',
  'shell',
  'tempFile',
  'update',
  'goalCompleted',
  'pre'
])
export const expressionElements: ReadonlySet<string> = new Set([...places.expression, 'rvalue', 'python'])
