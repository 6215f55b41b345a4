// docs/configuration.md from shared/kernel/config.ts and config-meaning.ts. With --check it only reports a difference.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { BaseConfig, REQUIRED_IN_PRODUCTION } from '#shared/kernel/config'
import { SECTIONS } from '#shared/kernel/config-meaning'
import { SECRETS } from '../infra/needs.ts'

const HEAD = `# Configuration

<!-- Generated from shared/kernel/config.ts and config-meaning.ts by \`npm run configuration\`. Do not edit. -->

The environment is read once, at the start. A missing or malformed variable stops the start with one line that names it. An empty variable counts as absent. Lists are separated by commas.

**P** must be set in production (\`ENVIRONMENT=production\`). **S** is a secret: deployed functions read it from AWS Secrets Manager.
`

const TAIL = `
## Accepted names of AuthSec

| variables | in place of |
| --- | --- |
| DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD, DB_SSL_MODE | DATABASE_URL |
| SMTP_HOST, SMTP_PORT, SMTP_USER, SMTP_PASSWORD | SMTP_URL |
| CORS_ALLOW_ORIGIN | CORS_ALLOWED_ORIGINS |
| ERRAND_QUEUE_URL (deprecated; the start warns) | TASK_QUEUE_URL |

Variables of a deployment (DOMAIN, ALARM_EMAIL, EXTRA_SECRETS) are in [deploying](deploying.md); those of tests and benches in [testing](testing.md) and [performance](performance.md).
`

const cell = (text: string): string => text.replaceAll('|', '\\|')

const valuesOf = (schema: z.ZodType): readonly string[] => {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) return valuesOf(schema.def.innerType as z.ZodType)
  return schema instanceof z.ZodEnum ? schema.options.map(String) : []
}

const defaultOf = (schema: z.ZodType): string => {
  if (!(schema instanceof z.ZodDefault)) return ''
  const value = schema.def.defaultValue
  if (Array.isArray(value)) return ''
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return String(value)
}

const row = (name: string, meaning: string): string => {
  const schema: z.ZodType = BaseConfig.shape[name as keyof typeof BaseConfig.shape]
  const marks = [
    ...((REQUIRED_IN_PRODUCTION as readonly string[]).includes(name) ? ['**P**'] : []),
    ...((SECRETS as readonly string[]).includes(name) ? ['**S**'] : []),
  ]
  const values = valuesOf(schema)
  const choice = values.length === 0 ? '' : ` One of ${values.map((value) => `\`${value}\``).join(', ')}.`
  const standard = defaultOf(schema)
  return `| ${[name, ...marks].join(' ')} | ${standard === '' ? '' : `\`${standard}\``} | ${cell(meaning + choice)} |`
}

const document = [
  HEAD,
  ...Object.entries(SECTIONS).map(
    ([title, variables]) =>
      `\n## ${title}\n\n| variable | default | meaning |\n| --- | --- | --- |\n${Object.entries(variables)
        .map(([name, meaning]) => row(name, meaning))
        .join('\n')}\n`,
  ),
  TAIL,
].join('')

const path = fileURLToPath(new URL('../docs/configuration.md', import.meta.url))
if (process.argv.includes('--check')) {
  if (readFileSync(path, 'utf8') !== document) {
    console.error('docs/configuration.md is out of date. Run `npm run configuration`.')
    process.exit(1)
  }
} else writeFileSync(path, document)
