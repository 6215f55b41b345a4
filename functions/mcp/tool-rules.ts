// Whether somebody may call a tool. Pure.
import type { HeldAccess, ToolRule } from '#db/store/mcp'

const CATEGORIES = ['roles', 'groups', 'resources', 'scopes', 'permissions'] as const
type Category = (typeof CATEGORIES)[number]

/** What the rules of tools speak of. A scope is what somebody may do, `resource:action`; a resource is what somebody may do anything with. */
export const accessByCategory = ({ roles, groups, permissions }: HeldAccess): Readonly<Record<Category, readonly string[]>> => ({
  roles,
  groups,
  permissions,
  scopes: permissions,
  resources: [...new Set(permissions.map((permission) => permission.slice(0, permission.indexOf(':'))))].sort(),
})

/**
 * A category that is listed passes where it has something in common with what is held. `require_all`: every listed one must pass; else any. A rule that lists
 * nothing lets everybody through who is signed in.
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
