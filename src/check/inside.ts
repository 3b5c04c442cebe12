import { BlockList, isIP } from 'node:net'

/** Addresses that the internet does not reach (IANA's special-purpose registries): those of networks, machines and clouds. */
const networks = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
  ['::', 127],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const

const inside = new BlockList()
for (const [network, prefix] of networks)
  inside.addSubnet(network, prefix, isIP(network) === 6 ? 'ipv6' : 'ipv4')

/** Says whether an IP address belongs to a network of the runner's own, its machine or its cloud; IPv4 in IPv6 counts as IPv4. */
export function isInside(address: string): boolean {
  return inside.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}
