-- Settings name trusted providers by the ids of their rows. The owner is subject to row level security, which shows it no rows.
ALTER TABLE "authsec"."tenants" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "authsec"."oidc_providers" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "authsec"."saml_providers" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
UPDATE "authsec"."tenants" t SET settings = jsonb_set(t.settings, '{trustFactorsOf}', (
  SELECT coalesce(jsonb_agg(DISTINCT found.id), '[]'::jsonb) FROM jsonb_array_elements_text(t.settings -> 'trustFactorsOf') AS named(name)
  CROSS JOIN LATERAL (
    (SELECT p.id FROM "authsec"."oidc_providers" p WHERE p.provider_name = named.name
      AND p.tenant_id IN (t.tenant_id, '00000000-0000-0000-0000-000000000000') ORDER BY p.tenant_id = t.tenant_id DESC LIMIT 1)
    UNION ALL
    SELECT s.id FROM "authsec"."saml_providers" s WHERE s.tenant_id = t.tenant_id AND 'saml-' || s.provider_name = named.name
  ) AS found))
WHERE jsonb_typeof(t.settings -> 'trustFactorsOf') = 'array';--> statement-breakpoint
ALTER TABLE "authsec"."tenants" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "authsec"."oidc_providers" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "authsec"."saml_providers" FORCE ROW LEVEL SECURITY;
