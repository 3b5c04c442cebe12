import { expect, test } from 'vitest'
import { Lines } from '../../src/apply/lines.ts'

test('lines and characters that are cut by chunks are put together', () => {
  const heard: string[] = []
  const lines = new Lines((line) => heard.push(line))
  const bytes = Buffer.from('grüße\nzwei\n\nrest')
  for (const byte of bytes) lines.push(Buffer.from([byte]))
  expect(heard).toEqual(['grüße', 'zwei', ''])
})

test('an endless line does not fill the memory', () => {
  const heard: string[] = []
  const lines = new Lines((line) => heard.push(line))
  for (let count = 0; count < 100; count += 1) lines.push(Buffer.alloc(65_536, 'x'))
  lines.push(Buffer.from('\nend\n'))
  expect(heard.map((line) => line.length)).toEqual([65_536, 3])
})
