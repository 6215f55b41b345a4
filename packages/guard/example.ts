import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import { authInfo, type GuardOptions, guard } from './guard.ts'

export const mcpServer = (options: GuardOptions) =>
  guard(options).protect({ scopes: ['clock:read'] }, async (request, token) => {
    const server = new McpServer({ name: 'clock', version: '1.0.0' })
    server.registerTool('now', { description: 'What time it is' }, (extra) => ({
      content: [{ type: 'text', text: `noon, says the clock to ${extra.authInfo?.extra?.subject}` }],
    }))
    const transport = new WebStandardStreamableHTTPServerTransport()
    await server.connect(transport)
    return transport.handleRequest(request, { authInfo: authInfo(token) })
  })
