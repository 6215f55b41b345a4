import { defineConfig } from 'vitest/config'

// One engine per worker, kept across its files, hence no isolation. Race tests (`*.race.ts`) run on both engines; server tests (`*.server.ts`) need TEST_DATABASE_URL.
export default defineConfig({
  test: {
    // A test that asserts nothing fails.
    expect: { requireAssertions: true },
    include: ['**/*.test.ts', '**/*.test.tsx', '**/*.race.ts', ...(process.env.TEST_DATABASE_URL ? ['**/*.server.ts'] : [])],
    exclude: ['**/node_modules/**'],
    reporters: process.env.TEST_REPORT ? ['default', ['json', { outputFile: process.env.TEST_REPORT }]] : ['default'],
    globalSetup: ['tests/support/global-setup.ts'],
    pool: 'threads',
    isolate: false,
    maxWorkers: 2,
    // Ends a test that hangs; the duration of a test depends on the machine.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
