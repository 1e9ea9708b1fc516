/** The goals that parts of a program need, as they are named there. */
import type { Expression, GoalCall, Method, Statement } from './model.ts'

/** Of a method: guards, statements, what undoes and what corrects it. */
export function callsOfMethod(method: Method): readonly GoalCall[] {
  const statements = [...method.body, ...(method.undo ?? []), ...(method.correct ?? []).flatMap(({ body }) => body)]
  return [...method.pre.flatMap(callsOfExpression), ...statements.flatMap(callsOfStatement)]
}

export function callsOfStatement(statement: Statement): readonly GoalCall[] {
  const inner = 'body' in statement ? statement.body.flatMap(callsOfStatement) : []
  return [...ownCalls(statement), ...inner]
}

function ownCalls(statement: Statement): readonly GoalCall[] {
  switch (statement.kind) {
    case 'find':
      return statement.in.flatMap(callsOfExpression)
    case 'repeat':
      return callsOfExpression(statement.count)
    case 'update':
      return callsOfExpression(statement.value)
    case 'check':
      return callsOfExpression(statement.expression)
    case 'wait':
      return statement.until.flatMap(callsOfExpression)
    case 'call':
      return [statement.call]
    default:
      return []
  }
}

export function callsOfExpression(expression: Expression): readonly GoalCall[] {
  switch (expression.kind) {
    case 'completed':
      return [expression.call]
    case 'op':
      return expression.operands.flatMap(callsOfExpression)
    case 'defined':
      return callsOfExpression(expression.of)
    case 'string':
    case 'convert':
    case 'urlEncode':
      return expression.parts.flatMap(callsOfExpression)
    default:
      return []
  }
}
