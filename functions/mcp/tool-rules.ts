// Pure rules that decide whether a person may call a tool.
import type { HeldAccess, Tool, ToolRule } from '#db/store/mcp'

const CATEGORIES = ['roles', 'groups', 'resources', 'scopes', 'permissions'] as const
type Category = (typeof CATEGORIES)[number]

/** A person's access by the categories of tool rules. A scope is a permission, `resource:action`; a resource is the first half of one. */
export const accessByCategory = ({ roles, groups, permissions }: HeldAccess): Readonly<Record<Category, readonly string[]>> => ({
  roles,
  groups,
  permissions,
  scopes: permissions,
  resources: [...new Set(permissions.map((permission) => permission.slice(0, permission.indexOf(':'))))].sort(),
})

/** The permissions that the rules of these tools name; a rule on a resource names every action of it. A session carries these and no others. */
export const scopesOfTools = (tools: readonly Tool[]): string[] => [
  ...new Set(
    tools.flatMap(({ rbac }) => [
      ...(rbac?.permissions ?? []),
      ...(rbac?.scopes ?? []),
      ...(rbac?.resources ?? []).map((resource) => `${resource}:*`),
    ]),
  ),
]

/** The person's permissions that the session carries. */
export const withinScopes = <H extends HeldAccess>(held: H, scopes: readonly string[] | null): H => {
  if (scopes === null) return held
  const carried = new Set(scopes)
  const isCarried = (permission: string): boolean => carried.has(permission) || carried.has(`${permission.slice(0, permission.indexOf(':'))}:*`)
  return { ...held, permissions: held.permissions.filter(isCarried) }
}

/**
 * A listed category passes when the person holds at least one of its names. With `require_all` every listed category must pass, otherwise any one. A rule that
 * lists nothing allows every signed-in person.
 */
export const isToolAllowed = (rule: ToolRule | undefined, held: HeldAccess): boolean => {
  const own = accessByCategory(held)
  const listed = CATEGORIES.flatMap((category) => {
    const requested = rule?.[category] ?? []
    return requested.length === 0 ? [] : [requested.some((name) => own[category].includes(name))]
  })
  if (listed.length === 0) return true
  return rule?.require_all === true ? listed.every(Boolean) : listed.some(Boolean)
}
