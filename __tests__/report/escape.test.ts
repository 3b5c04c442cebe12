import { error, notice } from '@actions/core'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  command,
  looksLikeCommand,
  markdown,
  markdownBlock,
  markdownCode,
  markdownLink,
  markdownSentence,
} from '../../src/report/escape.ts'

const nasty = [
  'a|b',
  '`x` ``` ~~~',
  '<script>alert(1)</script>',
  '</pre></details><h1>',
  '${{ secrets.X }}',
  '@octocat and #1 and :smile:',
  '[x](javascript:alert(1)) ![i](http://x)',
  '**b** __u__ ~~s~~ $x$ \\| &amp;',
  '# h',
  '- l',
  '1. l',
  '=== ',
  'www.evil.example http://evil.example',
  'line\n\n# two',
  '\x1b[31m\u202e',
]

afterEach(() => {
  vi.restoreAllMocks()
})

describe('workflow commands', () => {
  test('are written byte for byte as the toolkit writes them', () => {
    const written: string[] = []
    vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
      written.push(String(chunk))
      return true
    })
    const text = '100%\r\nfile: a,b::c'
    error(text, { title: 'a:b,c%', file: 'a,b.py', startLine: 3 })
    notice(text)
    vi.restoreAllMocks()
    expect(written.map((one) => one.trimEnd())).toEqual([
      command('error', text, { title: 'a:b,c%', file: 'a,b.py', line: 3 }),
      command('notice', text),
    ])
  })

  test('are recognised as the runner recognises them', () => {
    expect(['::error::x', '  ::x', 'a ##[error]x'].every(looksLikeCommand)).toBe(true)
    expect(['a ::error::x', '#[x]', ': :'].some(looksLikeCommand)).toBe(false)
  })
})

describe('values in Markdown', () => {
  test.each(nasty)('%j stays text: no markup, no tag, no mention, one line', (value) => {
    for (const text of [markdown(value), markdownCode(value), markdownSentence(value)]) {
      const withoutOurs = text.replaceAll(/<\/?(?:code|span)>/g, '')
      expect(withoutOurs).not.toMatch(/[<>`|*_[\]\\$@{}~\n\x1b]|(?<!&)#|:\/\/|www\.|:smile/)
      expect(text).not.toMatch(/^(?:[-+=]|[0-9]+\.)/)
      expect(withoutOurs.replaceAll(/&#[0-9]+;/g, '')).not.toContain('&')
    }
  })

  test('blocks keep their lines and nothing else', () => {
    expect(markdownBlock(['a', '', '</pre><b>', '```'])).toBe(
      '<pre>a\n\n&#60;/pre&#62;&#60;b&#62;\n&#96;&#96;&#96;</pre>',
    )
  })

  test('backquotes of our sentences become code', () => {
    expect(markdownSentence('Set `host` to <x>.')).toBe('Set <code>host</code> to &#60;x&#62;.')
  })

  test('only http and https become links', () => {
    expect(markdownLink('a', 'https://x.example/?q="><b>')).toBe('[a](https://x.example/?q=%22%3E%3Cb%3E)')
    expect(markdownLink('a|b](x)', 'http://x.example/a)|`b`(c)*_$[d]&copy;')).toBe(
      '[a&#124;b&#93;(x)](http://x.example/a%29%7C%60b%60%28c%29*_%24%5Bd%5D&amp;copy;)',
    )
    expect(markdownLink('x', 'javascript:alert(1)')).toBe('<code>x</code>')
  })
})
