// Replaces SST and Pulumi in tests and records every declared resource. An output is a text that names its source: `{Api.url}`.

export type Declared = {
  /** `sst.aws.Function`, `aws.sqs.Queue`, … */
  readonly type: string
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
  readonly dependsOn: readonly unknown[]
}

const MARK = Symbol('what an output stands for')
type Marked = { readonly [MARK]: string }
const isMarked = (value: unknown): value is Marked => typeof value === 'object' && value !== null && MARK in value

/** An output with a value. Every property except `apply` is an output, too. */
const output = (text: string, value: unknown = text): unknown =>
  new Proxy(
    { [MARK]: text },
    {
      get: (target, name) => {
        if (name === MARK) return target[MARK]
        if (name === 'then') return undefined
        if (name === 'apply') {
          return (then: (value: unknown) => unknown) => {
            const result = then(value)
            return output(String(result), result)
          }
        }
        if (name === Symbol.toPrimitive || name === 'toString' || name === 'toJSON') return () => text
        return output(`{${text.replace(/^\{|\}$/g, '')}.${String(name)}}`)
      },
    },
  )

/** Replaces outputs by their texts, recursively. */
export const plain = (value: unknown): unknown => {
  if (isMarked(value)) return value[MARK]
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
  return value
}

const textOf = (value: unknown): string => (isMarked(value) ? value[MARK] : String(value))

export type Recording<R> = { readonly result: R; readonly declared: readonly Declared[]; of(type: string): readonly Declared[] }

/** Values that a person or the provider supplies, by output: `{DatabaseUrl.value}`. */
export type Values = Readonly<Record<string, string>>

/** Evaluates `program` as a stage and removes its globals afterwards. */
export const record = <R>(stage: string, program: () => R, values: Values = {}): Recording<R> => {
  const declared: Declared[] = []
  const namespace = (path: string): unknown =>
    new Proxy(class {}, {
      get: (_, name) => {
        if (typeof name !== 'string') return undefined
        if (name.startsWith('get')) return () => output(`{${name}}`)
        return namespace(`${path}.${name}`)
      },
      construct: (_, [name, args = {}, options = {}]: [string, Readonly<Record<string, unknown>>?, { readonly dependsOn?: readonly unknown[] }?]) => {
        const given = { ...(args as Record<string, unknown>) }
        const { transform } = given as { transform?: Record<string, (args: Record<string, unknown>) => void> }
        for (const [what, change] of Object.entries(transform ?? {})) {
          const changed: Record<string, unknown> = {}
          change(changed)
          given[`transformed ${what}`] = changed
        }
        declared.push({ type: path, name, args: plain(given) as Readonly<Record<string, unknown>>, dependsOn: (options.dependsOn ?? []).map(plain) })
        return new Proxy(output(`{${name}}`) as object, {
          get: (target, member) => {
            const text = `{${name}.${String(member)}}`
            return typeof member === 'string' && text in values ? output(text, values[text]) : Reflect.get(target, member)
          },
        })
      },
    })
  const globals: Readonly<Record<string, unknown>> = {
    sst: namespace('sst'),
    aws: namespace('aws'),
    random: namespace('random'),
    $app: { name: 'authsec', stage },
    $dev: false,
    $interpolate: (texts: TemplateStringsArray, ...inserted: readonly unknown[]) => {
      const valued = texts.reduce((text, part, at) => text + part + (at < inserted.length ? valueIn(inserted[at]) : ''), '')
      return output(
        texts.reduce((text, part, at) => text + part + (at < inserted.length ? textOf(inserted[at]) : ''), ''),
        valued,
      )
    },
    $jsonStringify: (value: unknown) => output(JSON.stringify(plain(value))),
  }
  const before = Object.keys(globals).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const)
  Object.assign(globalThis, globals)
  try {
    return { result: program(), declared, of: (type) => declared.filter((one) => one.type === type) }
  } finally {
    for (const [name, descriptor] of before) {
      Reflect.deleteProperty(globalThis, name)
      if (descriptor !== undefined) Object.defineProperty(globalThis, name, descriptor)
    }
  }
}

const valueIn = (value: unknown): string => {
  if (!isMarked(value)) return String(value)
  let seen = value[MARK]
  ;(value as unknown as { apply(then: (value: unknown) => unknown): unknown }).apply((inner) => {
    seen = String(inner)
    return inner
  })
  return seen
}
