// `npx sst deploy --stage production`. See docs/deploying.md.
export default $config({
  app: (input) => ({
    name: 'authsec',
    home: 'aws',
    // Stateful resources and the keys and secrets of production are never removed.
    removal: input.stage === 'production' ? 'retain' : 'remove',
    protect: input.stage === 'production',
    providers: { random: '4.21.2' },
  }),
  run: async () => {
    const { deploy } = await import('./infra/deploy.ts')
    return deploy()
  },
})
