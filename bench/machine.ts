import { canBoot, prepareHost } from '../__tests__/server/requirements.ts'

/** Makes this machine ready to boot servers. @returns whether it can; where not, stderr has been told why */
export async function isReady(): Promise<boolean> {
  await prepareHost()
  const able = canBoot()
  if (!able.ok) console.error(`The bench needs a machine that can boot a server: ${able.why}`)
  return able.ok
}
