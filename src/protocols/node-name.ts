/**
 * What a node may be called, an agent, and an authority: 1 to 64 letters, digits, dots, underscores and dashes, the first a letter or digit.
 * Names become parts of paths of state, keys and file names: nothing that could be read as anything else.
 */
export const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
