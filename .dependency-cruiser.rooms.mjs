// Rooms of a layer depend on each other in one direction. The context of a layer names a part of every room, so this rule leaves it out; the rule between files includes it.
import layers from './.dependency-cruiser.mjs'

export default {
  forbidden: [
    {
      name: 'no-room-cycles',
      severity: 'error',
      scope: 'folder',
      from: { path: '^shared/(platform|domains)/[^/]+$' },
      to: { circular: true },
    },
  ],
  options: { ...layers.options, exclude: { path: `${layers.options.exclude.path}|^shared/(platform|domains)/context\\.ts$` } },
}
