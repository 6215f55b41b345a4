import { defineConfig } from 'vitest/config'

// Third-party software against this service: libraries that sign in here, and a provider that this service signs in at. Files run one after another, on real sockets.
// PEERS=smoke runs only the tests whose title begins with "smoke:", one or two per peer.
export default defineConfig({
  test: {
    // A test that asserts nothing fails.
    expect: { requireAssertions: true },
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
