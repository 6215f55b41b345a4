import { defineConfig } from 'vitest/config'

// Other people's software against this service: libraries that sign in here, a provider this service signs in at. One file after another, each on real sockets.
// PEERS=smoke runs the tests whose title begins with "smoke:", one or two of each peer.
export default defineConfig({
  test: {
    include: ['tests/peers/*.peer.ts'],
    ...(process.env.PEERS === 'smoke' ? { testNamePattern: /smoke:/ } : {}),
    reporters: process.env.TEST_REPORT ? ['default', ['json', { outputFile: process.env.TEST_REPORT }]] : ['default'],
    globalSetup: ['tests/support/global-setup.ts'],
    pool: 'threads',
    isolate: false,
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
})
