import { defineConfig } from 'vitest/config'

// Pages in a real browser, against the whole local system. A separate configuration, because not every machine has Chromium.
export default defineConfig({
  test: {
    // A test that asserts nothing fails.
    expect: { requireAssertions: true },
    include: ['tests/**/*.browser.ts'],
    reporters: process.env.TEST_REPORT ? ['default', ['json', { outputFile: process.env.TEST_REPORT }]] : ['default'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
