// The current code of an authenticator app: `npm run -s code -- KEY`. For developers without an app at hand.

import { codeOf, stepAt } from '#shared/domains/factors/totp-code'
import { systemClock } from '#shared/kernel/clock'

const [key = ''] = process.argv.slice(2)
if (/^[A-Z2-7]{16,}$/.test(key)) process.stdout.write(`${await codeOf(key, stepAt(systemClock.now()))}\n`)
else {
  process.stderr.write('usage: npm run -s code -- KEY, the base32 key of an authenticator app\n')
  process.exitCode = 1
}
