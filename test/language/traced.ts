/** Names that the tracer and what it traces have in common; nobody makes files of the first two: looking for them marks a place in the trace. */
export const BEGIN = 'planning-begins'
export const END = 'planning-ends'
/** What such a file's plan imports is imported before the tracer's eye is on it. */
export const WARM = 'warm-'
