// What the deployment program uses of SST (sst.dev, version 4) and of Pulumi's AWS provider, and nothing else. The real types come into being by commands that need
// a network; this stands for them in `npm run check`.

type Out<T> = { apply<R>(then: (value: T) => R): Out<R> }
type In<T> = T | Out<T>
type Ins<T> = { readonly [K in keyof T]: In<T[K]> }
type Options = { readonly dependsOn?: readonly unknown[] }
type Arguments = Readonly<Record<string, unknown>>

declare const $app: { readonly name: string; readonly stage: string }
/** Whether this is `sst dev`. */
declare const $dev: boolean
declare const $interpolate: (texts: TemplateStringsArray, ...values: readonly In<string | number>[]) => Out<string>
declare const $jsonStringify: (value: unknown) => Out<string>
declare const $config: <T>(config: { app(input: { readonly stage?: string }): Readonly<Record<string, unknown>>; run(): Promise<T> }) => unknown

declare namespace sst {
  class Secret {
    constructor(name: string, placeholder?: string)
    readonly value: Out<string>
  }
  namespace x {
    class DevCommand {
      constructor(
        name: string,
        args: { readonly dev: { readonly command: string; readonly autostart: boolean }; readonly environment?: Readonly<Record<string, string>> },
      )
    }
  }
  namespace aws {
    // biome-ignore lint/suspicious/noShadowRestrictedNames: the platform's own name for it
    class Function {
      constructor(
        name: string,
        args: {
          /** A folder that is shipped as it is. */
          readonly bundle: string
          readonly handler: string
          readonly description: string
          readonly runtime: 'nodejs22.x'
          readonly architecture: 'arm64'
          readonly memory: `${number} MB`
          readonly timeout: `${number} seconds`
          readonly url: false
          readonly environment: Readonly<Record<string, In<string>>>
          readonly permissions: readonly { readonly actions: readonly string[]; readonly resources: readonly In<string>[] }[]
          readonly logging: { readonly format: 'text'; readonly retention: string }
        },
        options?: Options,
      )
      readonly arn: Out<string>
      readonly name: Out<string>
      readonly nodes: { readonly logGroup: { readonly name: Out<string> } }
    }
    class ApiGatewayV2 {
      constructor(
        name: string,
        args: {
          readonly domain?: string
          readonly cors: false
          readonly accessLog: { readonly retention: string }
          readonly transform: { readonly api?: (args: Record<string, unknown>) => void; readonly stage?: (args: Record<string, unknown>) => void }
        },
      )
      readonly url: Out<string>
      readonly nodes: { readonly api: { readonly id: Out<string>; readonly executionArn: Out<string> } }
    }
    class Email {
      constructor(name: string, args: { readonly sender: string })
    }
  }
}

declare namespace random {
  class RandomBytes {
    constructor(name: string, args: { readonly length: number })
    readonly base64: Out<string>
    readonly hex: Out<string>
  }
}

declare namespace aws {
  class Resource {
    constructor(name: string, args: Arguments, options?: Options)
    readonly arn: Out<string>
    readonly id: Out<string>
    readonly name: Out<string>
    readonly url: Out<string>
  }
  const getRegionOutput: () => { readonly name: Out<string> }
  namespace secretsmanager {
    class Secret extends Resource {}
    class SecretVersion extends Resource {}
  }
  namespace sqs {
    class Queue extends Resource {}
  }
  namespace sns {
    class Topic extends Resource {}
    class TopicSubscription extends Resource {}
  }
  namespace iam {
    class User extends Resource {}
    class UserPolicy extends Resource {}
    class AccessKey extends Resource {
      readonly sesSmtpPasswordV4: Out<string>
    }
  }
  namespace lambda {
    class Permission extends Resource {}
    class Invocation extends Resource {}
    class EventSourceMapping extends Resource {}
  }
  namespace apigatewayv2 {
    class Integration extends Resource {}
    class Route extends Resource {}
  }
  namespace cloudwatch {
    class EventRule extends Resource {}
    class EventTarget extends Resource {}
    class LogMetricFilter extends Resource {}
    class MetricAlarm extends Resource {}
    class Dashboard extends Resource {
      readonly dashboardArn: Out<string>
    }
  }
}
