/** Exports of a dynamically imported CommonJS package. Node names its exports; a bundle puts them all below `default`. */
export const importCommonJs = async <M extends object>(loading: Promise<M>): Promise<M> => {
  const module: M & { readonly default?: M } = await loading
  return module.default ?? module
}
