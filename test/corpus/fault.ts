/** One thing that people do wrong, what they are told, and what puts it right. */
export interface Fault {
  readonly name: string
  /** Files by name; their text. */
  readonly files: Readonly<Record<string, string>>
  readonly words: readonly string[]
  readonly exit: number
  /** `x.xml:4:7`; absent where no file is to blame. */
  readonly at?: string
  /** Part of the message. */
  readonly reason: string
  /** Beginning of the first command that is suggested. */
  readonly next: string
  /** What is to be changed at the line at which the suggested editor opens. */
  readonly edit?: readonly [from: string, to: string]
  /** Values that the suggestion leaves to be typed, by path. */
  readonly fill?: Readonly<Record<string, string>>
  /** The suggestion shows more, but does not put it right by itself. */
  readonly looks?: true
}

/** A fault of a program `x.xml`: opening it at the line named and changing `from` into `to` there puts it right. */
export function inFile(
  text: string,
  name: string,
  at: string,
  reason: string,
  edit: readonly [from: string, to: string],
  words: readonly string[] = ['plan', 'x.xml', 'g']
): Fault {
  const line = at.split(':')[0]!
  return { name, files: { 'x.xml': text }, words, exit: 1, at: `x.xml:${at}`, reason, next: `vi +${line} x.xml`, edit }
}

/** A program whose third line is `text`. */
export function program(text: string): string {
  return `<cloudburst name="x">\n<goalProto name="g"><method/></goalProto>\n${text}\n</cloudburst>\n`
}

/** A program whose goal g has `text` as its third line, and an empty method unless one is in it. */
export function goal(text: string, rest = ''): string {
  return `<cloudburst name="x">\n<goalProto name="g">\n${text}\n${text.includes('<method') ? '' : '<method/>'}</goalProto>\n${rest}</cloudburst>\n`
}

/** A program whose goal g has a method with `text` as its fourth line. */
export function method(text: string, parameters = ''): string {
  return `<cloudburst name="x">\n<goalProto name="g">${parameters}\n<method>\n${text}\n</method>\n</goalProto>\n</cloudburst>\n`
}
