// docs/errors.md from shared/kernel/errors.ts. With --check it only reports a difference.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ERRORS } from '#shared/kernel/errors'
import { adviceFor, CATALOGUE } from '#shared/platform/http/error-catalogue'

const HEAD = `# Errors

<!-- Generated from shared/kernel/errors.ts by \`npm run errors\`. Do not edit. -->

Codes are part of the API and stay; the texts may change. The \`type\` of problem details (RFC 9457) is the address of a code's page: \`/errors/<code>\` of the deployment, with the same content as here. At the endpoints of the authorization server \`error\` is the name of the specification and \`code\` is the code of this list.
`

const cell = (text: string): string => text.replaceAll('|', '\\|')

const section = ({ status, meaning, codes }: (typeof CATALOGUE)[number]): string => {
  const [first = 'internal'] = codes
  const rows = codes.map((code) => {
    const { oauth } = adviceFor(code)
    return `| \`${code}\` | ${cell(ERRORS[code].title)} | ${oauth === undefined ? '' : `\`${oauth}\``} |`
  })
  return `\n## ${status} ${meaning}\n\n${adviceFor(first).advice}\n\n| code | text | name of the specification |\n| --- | --- | --- |\n${rows.join('\n')}\n`
}

const document = [HEAD, ...CATALOGUE.map(section)].join('')

const path = fileURLToPath(new URL('../docs/errors.md', import.meta.url))
if (process.argv.includes('--check')) {
  if (readFileSync(path, 'utf8') !== document) {
    console.error('docs/errors.md is out of date. Run `npm run errors`.')
    process.exit(1)
  }
} else writeFileSync(path, document)
