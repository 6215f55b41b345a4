import { describe, expect, test } from 'vitest'
import { anchorOf, brokenLinks, runnable, shellBlocks } from './docs.ts'

const fence = (info: string, text: string): string => `\`\`\`${info}\n${text}\n\`\`\`\n`

describe('commands', () => {
  test('sh blocks run, other languages do not', () => {
    expect(shellBlocks(`${fence('sh', 'a')}${fence('ts', 'b')}${fence('sh', 'c')}`).map(({ text }) => text)).toEqual(['a\n', 'c\n'])
  })
  test('a block that does not run states the reason', () => {
    expect(runnable(fence('sh no-run needs an account', 'deploy'))).toEqual([])
    expect(() => runnable(fence('sh no-run', 'deploy'))).toThrow('expected "sh no-run REASON"')
    expect(() => runnable(fence('sh norun typo', 'deploy'))).toThrow('expected "sh no-run REASON"')
  })
})

describe('links', () => {
  const files: Readonly<Record<string, string>> = {
    '/a.md': '# A\n[b](docs/b.md#two-words) [gone](docs/gone.md) [web](https://example.com) `[code](nowhere)`\n[here](#a) [there](#missing)',
    '/docs/b.md': `# B\n## Two words\n${fence('sh', '# not a heading')}[up](../a.md) [no](../a.md#not-a-heading)`,
  }
  const read = (path: string): string | undefined => files[path]
  test('files and headings exist; code and external addresses are not checked', () => {
    expect(brokenLinks('/a.md', read)).toEqual(['/a.md: docs/gone.md does not exist', '/a.md: #missing names no heading'])
    expect(brokenLinks('/docs/b.md', read)).toEqual(['/docs/b.md: ../a.md#not-a-heading names no heading'])
  })
  test('anchors are generated as on GitHub', () => expect(anchorOf('What a "quick" check: sizes, `code`')).toBe('what-a-quick-check-sizes-code'))
})
