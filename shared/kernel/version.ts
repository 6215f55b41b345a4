// The version in package.json, repeated here so that no bundle includes that file.
export const VERSION = '0.1.0'
