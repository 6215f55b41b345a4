// `npx sst deploy --stage production`. See docs/deploying.md.
export default $config({
  app: (input) => ({
    name: 'authsec',
    home: 'aws',
    // What holds state is not ours to remove; keys and secrets of a production stay where they are.
    removal: input.stage === 'production' ? 'retain' : 'remove',
    protect: input.stage === 'production',
    providers: { random: '4.21.2' },
  }),
  run: async () => {
    const { deploy } = await import('./infra/deploy.ts')
    return deploy()
  },
})
