// The version of the program, as in package.json. Kept here so that no bundle carries that file.
export const VERSION = '0.1.0'
