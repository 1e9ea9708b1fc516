/**
 * The one table of the language: every element, where it may stand, what it holds, its attributes with their values, and what
 * it means. From it come what the reader knows (vocabulary.ts), schema/program.xsd and the reference in docs/language.md
 * (`npm run schema` writes both). Source: docs/language.md.
 */
import type { AttributeSpec, ElementSpec } from './element-spec.ts'

const name: AttributeSpec = { type: 'name', meaning: 'its result is kept as `goal.<name>`' }
const onFail: AttributeSpec = {
  type: ['stop', 'ignore', 'suspend', 'retry'],
  default: 'stop',
  meaning: 'what a failure does: stop the method, go on, wait for repair, or try again'
}
const timeout: AttributeSpec = {
  type: 'seconds',
  meaning: 'seconds; then the process group ends, or all of them in a block, a loop or a sub-goal'
}
/** What every statement may carry. */
export const statementAttributeSpecs = {
  name,
  onFail,
  retries: { type: 'count', default: '0', meaning: 'tries after the first' },
  backoff: { type: 'seconds', default: '1', meaning: 'seconds before the next try, doubled each time' },
  timeout,
  idempotent: { type: 'flag', default: 'false', meaning: 'may run again when it is in doubt whether it ran' }
} as const satisfies Record<string, AttributeSpec>
const statement = statementAttributeSpecs
const parallel: AttributeSpec = { type: 'count', default: '1', meaning: 'how many run at a time, 1 to 256' }
const needed = (meaning: string): AttributeSpec => ({ type: 'text', required: true, meaning })
const older: AttributeSpec = {
  type: 'text',
  meaning: 'accepted and without meaning: the variables of a goal are always `goal.x`',
  older: true
}
const label: AttributeSpec = { type: 'text', meaning: 'names the log file from here on' }
const declared = {
  name: { type: 'text', meaning: 'its name in paths; needed but for the elements of a list' },
  type: { type: 'text', meaning: 'type name; the known scalar types are checked' }
} as const satisfies Record<string, AttributeSpec>

const expressions = ['expression'] as const
const sides = { quote: { type: ['shell', 'none'], meaning: 'in a command: quoted for a POSIX shell, or pasted as it is' } } as const
const get: ElementSpec = {
  as: ['expression', 'copy'],
  meaning: 'the node at a path; in a struct: start from a copy of it',
  text: 'path',
  attributes: { ...sides, as: { type: ['env'], meaning: 'in a command: read from its environment' } }
}
const block: ElementSpec = {
  as: ['statement'],
  meaning: 'statements, in order',
  holds: ['statement', 'describe'],
  attributes: { ...statement, parallel }
}
const code: ElementSpec = {
  as: ['statement'],
  meaning: 'a block of code, a process of its own; `<get>` is a value in it, `<set>` a place to assign to',
  text: 'mixed',
  holds: ['get', 'set', 'describe'],
  attributes: { ...statement, language: { type: ['javascript', 'python'], meaning: 'what it is written in; needed but in a `python`' } }
}
const pattern: AttributeSpec = {
  type: 'template',
  required: true,
  meaning: 'regular expression of JavaScript; `^` and `$` match at lines; values in it are taken literally'
}
const inserted: ElementSpec = {
  as: ['edit'],
  meaning: 'lines behind the first line that matches, unless they stand somewhere behind it',
  text: 'mixed',
  holds: expressions,
  attributes: { pattern }
}
const root: ElementSpec = {
  as: [],
  meaning: 'a program; its children are definitions',
  holds: ['definition'],
  attributes: { name: { type: 'text', meaning: 'name of the program; else that of its file' } }
}

/** Every element by name, in the order in which the reference tells them. */
export const elementSpecs: Readonly<Record<string, ElementSpec>> = {
  // files and definitions
  cloudburst: root,
  hive: { ...root, olderFor: 'cloudburst' },
  include: {
    as: ['definition'],
    meaning: 'another file, read in this place',
    attributes: { file: needed('path, or a name to be looked up') }
  },
  state: {
    as: ['definition', 'declaration'],
    meaning: 'its children count as if they stood outside',
    holds: ['definition'],
    attributes: { name: { type: 'text', meaning: 'without meaning' } },
    olderFor: 'its children'
  },
  struct: {
    as: ['definition', 'declaration'],
    meaning: 'fields; at the top level a type, or with `type` an instance of it',
    holds: ['declaration', 'copy'],
    attributes: declared
  },
  variable: {
    as: ['definition', 'declaration'],
    meaning: 'a value; empty = undefined; one `<get>` of state = a reference',
    text: 'mixed',
    holds: expressions,
    attributes: declared
  },
  list: { as: ['definition', 'declaration'], meaning: 'elements, in order', holds: ['declaration', 'copy'], attributes: declared },
  goalProto: {
    as: ['definition', 'goal'],
    meaning: 'a kind of goal',
    holds: ['narration', 'declaration', 'condition', 'post', 'method', 'correction'],
    attributes: { name: needed('name of the goal'), symbol: older, goalSymbol: older }
  },
  method: {
    as: ['definition', 'method'],
    meaning: 'one way to achieve a goal: guards and prerequisites (`pre`), then statements',
    holds: ['narration', 'statement', 'correction', 'undo'],
    attributes: {
      name: { type: 'text', meaning: 'needed but in a goalProto' },
      targetGoalType: { type: 'text', meaning: 'the goal it achieves; needed but in a goalProto' },
      priority: { type: 'integer', default: '0', meaning: 'above the order of definition' },
      symbol: older,
      goalSymbol: older
    }
  },
  agent: {
    as: ['definition'],
    meaning: 'the program of a long-lived agent',
    holds: ['narration', 'declaration', 'condition', 'goal', 'method'],
    attributes: {
      name: needed('name of the agent'),
      onStop: { type: 'text', meaning: 'a goal that is pursued when the agent is stopped, once its goals rest' }
    }
  },
  // parts of definitions
  describe: {
    as: ['narration', 'describe'],
    meaning: 'one line for people',
    text: 'mixed',
    holds: expressions,
    attributes: { locale: { type: 'text', meaning: 'language, as in `LANG`: `de`; the first is for all others' } }
  },
  referenceDoc: {
    as: ['narration'],
    meaning: 'where to read more',
    text: 'mixed',
    holds: ['url'],
    attributes: { name: { type: 'text', meaning: 'without meaning' } }
  },
  url: { as: ['url'], meaning: 'an address', text: 'text' },
  pre: {
    as: ['condition', 'statement'],
    meaning: 'what must hold: of the configuration, of a method (guard), or here (assertion)',
    holds: expressions,
    goals: true,
    attributes: { name: { type: 'text', meaning: 'without meaning' } }
  },
  post: {
    as: ['post'],
    meaning: 'holds when the goal is achieved',
    holds: expressions,
    goals: true,
    attributes: { name: { type: 'text', meaning: 'without meaning' } }
  },
  symbol: { as: ['narration'], meaning: 'ignored', text: 'text', attributes: { name: older }, olderFor: 'nothing' },
  goalSymbol: { as: ['narration'], meaning: 'ignored', text: 'text', attributes: { name: older }, olderFor: 'nothing' },
  // statements
  do: block,
  task: { ...block, olderFor: 'do' },
  taskSequence: { ...block, olderFor: 'do' },
  find: {
    as: ['statement'],
    meaning: 'its `do` for each item of its `in`',
    holds: ['in', 'do', 'describe'],
    attributes: { ...statement, symbol: { type: 'name', required: true, meaning: 'what the item is called' }, parallel }
  },
  in: { as: ['in'], meaning: 'a list; several are concatenated', holds: expressions, goals: true },
  repeat: {
    as: ['statement'],
    meaning: 'its statements so many times; `goal.repeat` is the index',
    holds: ['count', 'statement', 'describe'],
    attributes: statement
  },
  count: { as: ['count'], meaning: 'how many times', text: 'mixed', holds: expressions },
  shell: {
    as: ['statement', 'expression'],
    meaning: 'commands; as an expression: what they say',
    holds: ['command', 'send', 'receive', 'describe'],
    attributes: {
      ...statement,
      shell: { type: 'text', default: '/bin/bash', meaning: 'program that runs the sends when there is no `command`' },
      label,
      reuse: { type: 'flag', default: 'false', meaning: 'share the connections of a plain ssh or scp prefix' },
      value: { type: ['returnCode', 'isZero', 'stdout'], default: 'isZero', meaning: 'as an expression: its value' },
      pure: { type: 'flag', default: 'false', meaning: 'as an expression: has no effect, so that a plan may run it' }
    }
  },
  command: {
    as: ['command'],
    meaning: 'explicit prefix, e.g. `ssh host`; a send becomes its last argument',
    text: 'mixed',
    holds: [...expressions, 'describe'],
    attributes: { name: { type: 'text', meaning: 'without meaning' } }
  },
  send: {
    as: ['send'],
    meaning: 'one command, a process and a step of its own',
    text: 'mixed',
    holds: [...expressions, 'describe'],
    attributes: { ...statement, label }
  },
  receive: {
    as: ['receive'],
    meaning: 'answers a prompt of the send before it, which gets a terminal',
    text: 'mixed',
    holds: expressions,
    attributes: { prompt: { ...pattern, meaning: 'regular expression of JavaScript that the end of the output matches' } }
  },
  tempFile: {
    as: ['statement'],
    meaning: 'text in a private temporary file; its path is `goal.<name>`',
    text: 'mixed',
    holds: [...expressions, 'describe'],
    attributes: { ...statement, name: { ...name, required: true } }
  },
  code,
  python: {
    ...code,
    meaning: 'holds a `<code>` of Python in which `<get>` is a literal; as an expression only `name="urllib.…"`',
    holds: ['code', ...expressions],
    attributes: { ...statement, name: { type: 'text', meaning: 'as an expression: `urllib.quote_plus` and the like' } },
    olderFor: 'code'
  },
  editFile: {
    as: ['statement'],
    meaning: 'edits a text file in place, once however often it runs; keeps the file before as `PATH.cb-backup`',
    holds: ['edit', 'describe'],
    attributes: {
      ...statement,
      path: { type: 'template', required: true, meaning: 'the file; may hold `${path}`, and `~` at its beginning' },
      create: { type: 'flag', default: 'false', meaning: 'begin with an empty file when there is none' }
    }
  },
  replace: {
    as: ['edit'],
    meaning: 'its text, or `with`, in the place of what matches; `$1` is the first group',
    text: 'mixed',
    holds: expressions,
    attributes: {
      pattern,
      with: { type: 'template', meaning: 'the same as its text, for short ones' },
      all: { type: 'flag', default: 'true', meaning: 'every match' },
      first: { type: 'flag', default: 'false', meaning: 'only the first match, unless its text stands before it already' }
    }
  },
  insertAfter: inserted,
  insertBefore: { ...inserted, meaning: 'lines before the first line that matches, unless they stand somewhere before it' },
  append: { as: ['edit'], meaning: 'lines at the end, unless they stand in the file', text: 'mixed', holds: expressions },
  prepend: { as: ['edit'], meaning: 'lines at the beginning, unless they stand in the file', text: 'mixed', holds: expressions },
  remove: { as: ['edit'], meaning: 'takes away every line that matches', attributes: { pattern } },
  wait: {
    as: ['statement'],
    meaning: 'waits some seconds, or until all its expressions hold',
    holds: [...expressions, 'describe'],
    goals: true,
    attributes: {
      ...statement,
      timeout: { type: 'seconds', meaning: 'seconds; then the wait has failed. Without it there is no end' },
      seconds: { type: 'template', meaning: 'how long; may hold `${path}`' },
      every: { type: 'seconds', default: '1', meaning: 'seconds between two looks' }
    }
  },
  snapshot: {
    as: ['statement'],
    meaning: 'a place at which later goals may begin, with what was done until then: `pursue GOAL --from-snapshot ID:NAME`',
    holds: ['describe'],
    attributes: { ...statement, name: { ...name, required: true } }
  },
  undo: {
    as: ['undo'],
    meaning: 'statements that take back what the method has done: when its goal is cancelled or destroyed',
    holds: ['statement']
  },
  correct: {
    as: ['correction'],
    meaning: 'how a failure is put right: statements before the next try, or what a person is to do',
    text: 'mixed',
    holds: ['statement', ...expressions, 'describe'],
    attributes: {
      mode: { type: ['auto', 'manual'], default: 'auto', meaning: 'statements, or text with a `<set>` for each value that is asked for' },
      limit: { type: 'count', default: '1', meaning: 'most corrections of one method' }
    }
  },
  update: {
    as: ['statement'],
    meaning: 'write a value to a place',
    text: 'mixed',
    holds: [...expressions, 'describe'],
    attributes: statement
  },
  goalCompleted: {
    as: ['statement', 'expression'],
    meaning: 'a sub-goal; `<g>` is the same when g names a goal',
    holds: ['declaration', 'describe'],
    attributes: {
      ...statement,
      name: needed('the goal'),
      again: { type: 'flag', default: 'false', meaning: 'pursue it anew, also when it was completed in this run' },
      peer: { type: 'template', meaning: 'the node that pursues it; may hold `${path}`' },
      where: { type: 'text', meaning: 'labels of the node that pursues it: `os=linux arch=arm64`' }
    }
  },
  // expressions
  get,
  rvalue: { ...get, olderFor: 'get' },
  set: { as: ['expression'], meaning: 'the node at a path, as a place to write', text: 'path' },
  string: { as: ['expression'], meaning: 'concatenation', text: 'mixed', holds: expressions },
  int: { as: ['expression'], meaning: 'as a whole number', text: 'mixed', holds: expressions },
  bool: { as: ['expression'], meaning: 'as true or false', text: 'mixed', holds: expressions },
  op: {
    as: ['expression'],
    meaning: 'comparison, arithmetic, logic',
    text: 'mixed',
    holds: expressions,
    goals: true,
    attributes: {
      name: {
        type: ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'add', 'sub', 'mul', 'div', 'mod', 'and', 'or', 'not', 'isZero', 'isNotZero'],
        required: true,
        meaning: 'what to do with the operands'
      }
    }
  },
  defined: { as: ['expression'], meaning: 'known and not undefined', holds: expressions, goals: true },
  fileTest: {
    as: ['expression'],
    meaning: 'about a file of the machine where the goal is pursued',
    text: 'mixed',
    holds: expressions,
    attributes: { type: { type: ['exists', 'file', 'directory', 'executable'], default: 'exists', meaning: 'what is asked' } }
  },
  pathExists: { as: ['expression'], meaning: 'the same as `<fileTest type="exists">`', text: 'mixed', holds: expressions },
  urlEncode: { as: ['expression'], meaning: 'percent-encoded', text: 'mixed', holds: expressions },
  uuid: { as: ['expression'], meaning: 'an identifier, the same for one place in one run' },
  secret: {
    as: ['expression'],
    meaning: 'a secret that is looked up when it is used: the text names a variable of the environment, a file or a command that prints it',
    holds: ['expression'],
    text: 'mixed',
    attributes: { from: { type: ['env', 'file', 'command'], required: true, meaning: 'where it comes from' } }
  },
  env: { as: ['expression'], meaning: 'an environment variable', attributes: { name: needed('name of the variable') } },
  now: { as: ['expression'], meaning: 'the time, the same for one place in one run' }
}

/** Carried by every element. */
export const commonAttributeSpecs: Readonly<Record<string, AttributeSpec>> = {
  enabled: { type: 'flag', default: 'true', meaning: '`false` switches the element off' },
  debug: { type: 'flag', default: 'false', meaning: 'tells what it reads and writes, and why, at any verbosity' }
}
