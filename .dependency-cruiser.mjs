// The layers of the project, as rules. `npm run check` fails when a file imports upwards, when two groups of routes know each other, or when imports form a
// cycle, between files or between rooms. docs/architecture.md explains the layers.

/** Tests, benchmarks and their support code may import anything and are left out. */
export const TESTS = '\\.(test|race|server|contract|browser|peer)\\.tsx?$|(^|/)seeds\\.ts$|^db/testing/|^(tests|bench)/'

/** From the lowest to the highest: a layer imports itself and the ones below it. */
const LAYERS = ['^shared/kernel/', '^shared/platform/', '^shared/domains/', '^functions/', '^apps/', '^(infra|cli|scripts)/']

const upwards = LAYERS.slice(0, -1).map((layer, at) => ({
  name: `layer-${layer
    .replace(/[^a-z/]/g, '')
    .replace(/\/$/, '')
    .replaceAll('/', '-')}`,
  comment: 'A layer imports itself and the layers below it.',
  severity: 'error',
  from: { path: layer },
  to: { path: [...LAYERS.slice(at + 1), '^(tests|bench|packages)/'] },
}))

const config = {
  forbidden: [
    ...upwards,
    {
      name: 'kernel-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^shared/kernel/' },
      to: { path: '^(db|shared|functions|apps|packages)/', pathNot: '^shared/kernel/' },
    },
    {
      name: 'db-imports-nothing-of-shared',
      comment: 'Persistence imports no rules; the process passes in what it needs.',
      severity: 'error',
      from: { path: '^db/' },
      to: { path: '^(shared|functions|apps|infra|cli|packages|tests)/' },
    },
    {
      name: 'no-sibling-groups',
      comment: 'A group of routes is one function. What two groups need is a domain.',
      severity: 'error',
      from: { path: '^functions/([^/]+)/' },
      to: { path: '^functions/', pathNot: '^functions/$1/' },
    },
    {
      name: 'packages-stand-alone',
      comment: 'Published packages import only pure functions of the protocol rooms.',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^(db|functions|apps|infra|cli|scripts|tests|shared/(kernel|platform))/' },
    },
    {
      name: 'only-stores-read-tables',
      severity: 'error',
      from: { pathNot: '^db/(store|tables|migrations|releases|dump)/' },
      to: { path: '^db/tables/' },
    },
    { name: 'no-file-cycles', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    parser: 'tsc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: `node_modules|\\.generated\\.ts$|${TESTS}` },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'],
    },
  },
}
export default config
