// Settings shared by the measured server and the program that fills its database.
export const ENV: Readonly<Record<string, string>> = {
  ENVIRONMENT: 'test',
  RATE_LIMIT: 'off',
  BASE_URL: 'http://localhost:7468',
  MASTER_KEYS: `m1:${Buffer.alloc(32, 7).toString('base64')}`,
  HASH_KEY: Buffer.alloc(32, 9).toString('base64'),
}
