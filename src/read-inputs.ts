import { getInput } from '@actions/core'
import type { GetInput } from './inputs/parse.ts'

/**
 * The runner's inputs (`INPUT_` and the name in capitals, `-` kept): untrimmed, so that a secret arrives to the byte.
 */
export const readInput: GetInput = (name) => getInput(name, { trimWhitespace: false })
