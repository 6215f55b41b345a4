-- Tenants from before the permission get it, and their system role holds it. The owner is subject to row level security, which shows it no rows.
ALTER TABLE "authsec"."tenants" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "authsec"."permissions" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "authsec"."roles" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "authsec"."role_permissions" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
INSERT INTO "authsec"."permissions" (tenant_id, id, resource, action, description, is_system, created_at, updated_at)
SELECT t.tenant_id, gen_random_uuid(), 'spire', 'manage', 'Manage workload identity: registration entries, attestors, keys and federation.', true, now(), now()
FROM "authsec"."tenants" t ON CONFLICT DO NOTHING;--> statement-breakpoint
INSERT INTO "authsec"."role_permissions" (tenant_id, role_id, permission_id)
SELECT r.tenant_id, r.id, p.id FROM "authsec"."roles" r
JOIN "authsec"."permissions" p ON p.tenant_id = r.tenant_id AND p.resource = 'spire' AND p.action = 'manage'
WHERE r.is_system AND r.name IN ('admin', 'super_admin') ON CONFLICT DO NOTHING;--> statement-breakpoint
ALTER TABLE "authsec"."tenants" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "authsec"."permissions" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "authsec"."roles" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "authsec"."role_permissions" FORCE ROW LEVEL SECURITY;
