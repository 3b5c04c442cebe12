import type { Wire } from './wires.ts'

/** One measured run. */
export interface Sample {
  readonly ms: number
  readonly up: number
  readonly down: number
}

/** All runs of one job: added round-trip time in ms -> its samples. */
export type Samples = ReadonlyMap<number, readonly Sample[]>

/** Measures one run of a job over a wire. */
export async function measure(wire: Wire, job: () => Promise<unknown>): Promise<Sample> {
  const before = wire.bytes()
  const began = performance.now()
  await job()
  const ms = performance.now() - began
  const after = wire.bytes()
  return { ms, up: after.up - before.up, down: after.down - before.down }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2
}

/** The round trips on the critical path between two distances: how much longer it takes for each ms of distance. */
export function roundTrips(samples: Samples, from: number, to: number): number {
  const at = (rttMs: number) => median((samples.get(rttMs) ?? []).map(({ ms }) => ms))
  return (at(to) - at(from)) / (to - from)
}
