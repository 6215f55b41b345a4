/**
 * What a package that is CommonJS inside exports, loaded when it is needed. Node names its exports; a bundle that loads it later has them all in `default` alone.
 * Where such a package is imported statically, both name them.
 */
export const importCommonJs = async <M extends object>(loading: Promise<M>): Promise<M> => {
  const module: M & { readonly default?: M } = await loading
  return module.default ?? module
}
