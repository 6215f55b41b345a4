// What packages carry along and a function never calls. Each piece is replaced by a few words that throw where it would be used, so a use is found, not lost.
import { readFileSync } from 'node:fs'
import type { Plugin } from 'esbuild'

const never = (what: string): string => `()=>{throw new Error(${JSON.stringify(`${what} is left out of this bundle: see infra/bundle/left-out.ts`)})}`

/** Which file of which package, by the end of its path, and what stands in its place. */
const LEFT_OUT: readonly (readonly [file: RegExp, instead: string, why: string])[] = [
  [
    /[\\/]zod[\\/]v4[\\/]core[\\/]to-json-schema\.js$/,
    `const never=${never('z.toJSONSchema')};export const createToJSONSchemaMethod=()=>never;export const createStandardJSONSchemaMethod=()=>never;
     export {never as initializeContext,never as handleUnrepresentable,never as processSchema,never as process,never as extractDefs,never as finalize}`,
    'The OpenAPI document is made when we build.',
  ],
  [
    /[\\/]zod[\\/]v4[\\/]core[\\/]json-schema-processors\.js$/,
    `export const allProcessors={};export const toJSONSchema=${never('z.toJSONSchema')}`,
    'As above.',
  ],
  [
    /[\\/]zod[\\/]v4[\\/]core[\\/]memoizer\.js$/,
    `const never=${never('A schema that is compiled')};export const memoizer=()=>undefined;export class $ZodCyclicError extends Error{}
     export {never as isRecursiveSchema,never as isBackEdge}`,
    'It lets values that contain themselves be parsed: what is parsed here came as text, or leaves as text.',
  ],
  [
    /[\\/]drizzle-orm[\\/]pg-core[\\/]columns[\\/]all\.js$/,
    `export const getPgColumnBuilders=${never('A table declared by a callback')}`,
    'Tables of ours name the columns that they import.',
  ],
  [
    /[\\/]drizzle-orm[\\/]relations\.js$/,
    `const never=${never('A relational query')};export class Relation{} export class Relations{} export class One{} export class Many{}
     export {never as createMany,never as createOne,never as createTableRelationsHelpers,never as extractTablesRelationalConfig,never as getOperators,
     never as getOrderByOperators,never as mapRelationalRow,never as normalizeRelation,never as relations}`,
    'Stores join by hand: relational queries know no tenant.',
  ],
  [
    /[\\/]drizzle-orm[\\/]pg-core[\\/]query-builders[\\/]query\.js$/,
    `export class RelationalQueryBuilder{} export class PgRelationalQuery{}`,
    'As above.',
  ],
  [
    /[\\/]drizzle-orm[\\/]pg-core[\\/]view\.js$/,
    `const never=${never('A view')};export class PgView{} export class PgMaterializedView{} export const PgMaterializedViewConfig=Symbol.for('drizzle:PgMaterializedViewConfig');
     export {never as isPgMaterializedView,never as isPgView,never as pgMaterializedView,never as pgMaterializedViewWithSchema,never as pgView,never as pgViewWithSchema}`,
    'There are tables alone.',
  ],
  [
    /[\\/]drizzle-orm[\\/]pg-core[\\/]foreign-keys\.js$/,
    `const never=${never('A foreign key')};export class ForeignKey{} export class ForeignKeyBuilder{constructor(){never()}} export {never as foreignKey}`,
    'The migrations have them.',
  ],
  [/[\\/]drizzle-orm[\\/]pg-core[\\/]query-builders[\\/]refresh-materialized-view\.js$/, `export class PgRefreshMaterializedView{}`, 'As above.'],
  [
    /[\\/]pg[\\/]lib[\\/]crypto[\\/]cert-signatures\.js$/,
    `module.exports={signatureAlgorithmHashFromCertificate:${never('Channel binding')}}`,
    'It is off unless a pool is opened with enableChannelBinding, and ours are not.',
  ],
  [
    /[\\/]postgres-interval[\\/]index\.js$/,
    `module.exports=${never('An interval of the driver')}`,
    'Columns of ours parse what they hold: see `types` in db/engine/pool.ts.',
  ],
  [/[\\/]postgres-date[\\/]index\.js$/, `module.exports=${never('A date of the driver')}`, 'As above.'],
  [/[\\/]pgpass[\\/]lib[\\/]index\.js$/, `module.exports=(_,done)=>done()`, 'No password file is looked for: the URL has the password.'],
  [/[\\/]pg-types[\\/]lib[\\/]binaryParsers\.js$/, `module.exports={init(){}}`, 'Answers are asked for as text.'],
  [/[\\/]pg[\\/]lib[\\/]native[\\/]index\.js$/, `module.exports={}`, 'The native twin is asked for by NODE_PG_FORCE_NATIVE alone.'],
]

/** The method that writes relational queries, half of the dialect: nothing calls it once their builders are left out. */
const RELATIONAL = /\n {2}buildRelationalQueryWithoutPK\(\{\n[\s\S]*?\n {2}\}\) \{\n[\s\S]*?\n {2}\}(?=\n)/
const withoutRelational = (path: string): string => {
  const text = readFileSync(path, 'utf8')
  const rest = text.replace(RELATIONAL, '')
  if (rest === text) throw new Error(`${path} writes relational queries in a way that infra/bundle/left-out.ts does not know`)
  return rest
}

/** Keys, indexes and foreign keys of a table: the migrations have them, and no statement asks for them. */
const CONSTRAINTS = /\n {2}\(t\) => \[(?:[^\n]*\],|\n[\s\S]*?\n {2}\],)(?=\n\))/g
const CONSTRAINT = /(?<!\.)\b(?:primaryKey|uniqueIndex|index|foreignKey)\(/
const withoutConstraints = (path: string): string => {
  const text = readFileSync(path, 'utf8').replace(CONSTRAINTS, '')

  if (CONSTRAINT.test(text)) throw new Error(`${path} declares constraints in a way that infra/bundle/left-out.ts does not know`)
  return text
}

/** What a route says to the document and to the tests alone. */
const SAID_OF_ROUTES = /\n( +)(?:summary|errors):(?: \[\n[\s\S]*?\n\1\],|\s[^\n]*,)(?=\n)/g
const SAYS = /\n +(?:summary|errors):/
/** Its group shows its own routes, in words. */
const TELLS = /[\\/]functions[\\/]clients[\\/]/
const withoutWords = (path: string): string => {
  const text = readFileSync(path, 'utf8')
  if (TELLS.test(path)) return text
  const rest = text.replace(SAID_OF_ROUTES, '')
  if (SAYS.test(rest)) throw new Error(`${path} declares a route in a way that infra/bundle/left-out.ts does not know`)
  return rest
}

/** An error on a line of its own, by its code. */
const ERROR = /^ {2}(\w+): \{.*\},$/
/**
 * The file of errors with those alone that one of the sources names: a code is thrown, said on a page and looked for by its name, so what none of them spells is
 * never met. With their titles all of them are 16 KiB.
 */
export const errorsNamedIn = (errors: string, sources: readonly string[]): string => {
  const words = new Set(sources.flatMap((path) => readFileSync(path, 'utf8').match(/\w+/g) ?? []))
  const isNamed = (line: string): boolean => {
    const code = ERROR.exec(line)?.[1]
    return code === undefined || words.has(code)
  }
  return errors.split('\n').filter(isNamed).join('\n')
}

/** In a bundle of these sources. */
export const otherErrors = (sources: readonly string[]): Plugin => ({
  name: 'other-errors',
  setup: (build) => {
    build.onLoad({ filter: /[\\/]shared[\\/]kernel[\\/]errors\.ts$/ }, ({ path }) => ({
      contents: errorsNamedIn(readFileSync(path, 'utf8'), sources),
      loader: 'ts',
    }))
  },
})

export const leftOut: Plugin = {
  name: 'left-out',
  setup: (build) => {
    for (const [filter, contents] of LEFT_OUT) build.onLoad({ filter }, () => ({ contents, loader: 'js' }))
    build.onLoad({ filter: /[\\/]drizzle-orm[\\/]pg-core[\\/]dialect\.js$/ }, ({ path }) => ({ contents: withoutRelational(path), loader: 'js' }))
    build.onLoad({ filter: /[\\/]db[\\/]tables[\\/][\w-]+\.ts$/ }, ({ path }) => ({ contents: withoutConstraints(path), loader: 'ts' }))
    build.onLoad({ filter: /[\\/](?:functions|shared)[\\/](?:[\w-]+[\\/])+(?:[\w-]+\.)?(?:routes|operations)\.ts$/ }, ({ path }) => ({
      contents: withoutWords(path),
      loader: 'ts',
    }))
  },
}
