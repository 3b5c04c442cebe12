import { defineConfig } from 'vitest/config'

/**
 * Two projects: `unit` is fast and needs nothing; `e2e` boots real servers (root on Linux).
 * A server takes a core while it installs, so few e2e files run at once.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['__tests__/**/*.test.ts'],
          exclude: ['__tests__/**/*.e2e.test.ts'],
          // Fast on an idle machine; a busy one is no failure.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['__tests__/**/*.e2e.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          maxWorkers: 3,
        },
      },
    ],
  },
})
