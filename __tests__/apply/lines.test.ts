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

test.each([
  [1, 30],
  [2, 30],
  [7, 30],
  [4096, 100_000],
  [1_000_000, 100_000],
])('the bytes of each line are counted as they came, %i at a time, with one of %i', (size, long) => {
  const texts = ['1.00 log grüße', '', '1.01 log \u{1f600}', `1.02 log ${'x'.repeat(long)}`]
  // A character that was broken off, and bytes that are none.
  const odd = Buffer.from([0xf0, 0x9f, 0x0a, 0xff, 0xfe, 0x0a])
  const bytes = Buffer.concat([Buffer.from(`${texts.join('\n')}\n`), odd, Buffer.from('half a line')])
  const ends = [...bytes].flatMap((byte, at) => (byte === 0x0a ? [at + 1] : []))
  const offsets: number[] = []
  let offset = 0
  const lines = new Lines((_line, length) => {
    offset += length
    offsets.push(offset)
  })
  for (let from = 0; from < bytes.length; from += size) lines.push(bytes.subarray(from, from + size))
  expect(offsets).toEqual(ends)
})
