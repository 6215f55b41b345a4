// Preset scopes for common resource servers.
export const SCOPE_PRESETS = [
  {
    id: 'mcp-read',
    name: 'MCP server, read only',
    scopes: [
      { name: 'tools:list', description: 'See which tools there are' },
      { name: 'resources:read', description: 'Read resources' },
      { name: 'prompts:read', description: 'Read prompts' },
    ],
  },
  {
    id: 'mcp-full',
    name: 'MCP server',
    scopes: [
      { name: 'tools:list', description: 'See which tools there are' },
      { name: 'tools:call', description: 'Use tools' },
      { name: 'resources:read', description: 'Read resources' },
      { name: 'prompts:read', description: 'Read prompts' },
    ],
  },
  {
    id: 'api-read-write',
    name: 'API with reading and writing',
    scopes: [
      { name: 'read', description: 'Read' },
      { name: 'write', description: 'Change' },
    ],
  },
] as const
export const PRESET_IDS = SCOPE_PRESETS.map(({ id }) => id)
