import { parseApp } from '../project/app-expression.ts'
import { cutToBytes, visible } from '../text.ts'
import { bad, good, hasNoncharacter, type Kind, oddCharacter, tidy } from './reading.ts'

/** The app object as the project reads it: `module`, `module:name`, or `module:factory("text")`. */
export const appTarget: Kind<string> = (raw, input) => {
  const text = tidy(raw)
  const right = 'Write `module:name`, such as `app:app`, or `module:create_app()`.'
  if (oddCharacter(text) !== undefined || /[\t\n]/.test(text))
    return bad(input, 'has more than one line', right)
  if (hasNoncharacter(text))
    return bad(
      input,
      'holds a code that is no Unicode character',
      'Write it as an escape, such as `\\ufffe`.',
    )
  const parsed = parseApp(text)
  return typeof parsed === 'string' ? bad(input, cutToBytes(visible(parsed), 300), right) : good(text)
}
