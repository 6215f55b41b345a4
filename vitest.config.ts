import { defineConfig } from 'vitest/config'

// One engine a worker, kept across its files: hence no isolation. Races (`*.race.ts`) run on both engines; what only a server can show (`*.server.ts`) runs with TEST_DATABASE_URL alone.
export default defineConfig({
  test: {
    include: ['**/*.test.ts', '**/*.test.tsx', '**/*.race.ts', ...(process.env.TEST_DATABASE_URL ? ['**/*.server.ts'] : [])],
    exclude: ['**/node_modules/**'],
    reporters: process.env.TEST_REPORT ? ['default', ['json', { outputFile: process.env.TEST_REPORT }]] : ['default'],
    globalSetup: ['tests/support/global-setup.ts'],
    pool: 'threads',
    isolate: false,
    maxWorkers: 2,
    // A test that hangs ends; how long one takes depends on the machine, and says nothing.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
