import { expect, test } from 'vitest'
import { isInside } from '../../src/check/inside.ts'

test.each([
  '127.0.0.1',
  '10.1.2.3',
  '172.31.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.100.100.200',
  '0.0.0.0',
  '255.255.255.255',
  '::1',
  '::',
  'fd00:ec2::254',
  'fe80::1',
  '::ffff:169.254.169.254',
  '64:ff9b::a9fe:a9fe',
])('%s is of a network that the internet does not reach', (address) => {
  expect(isInside(address)).toBe(true)
})

test.each(['203.0.113.5', '8.8.8.8', '172.32.0.1', '2001:db8::1', '::ffff:8.8.8.8'])(
  '%s is on the internet',
  (address) => {
    expect(isInside(address)).toBe(false)
  },
)
