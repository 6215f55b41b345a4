CREATE TABLE "authsec"."resource_setups" (
	"tenant_id" uuid NOT NULL,
	"resource_server_id" uuid NOT NULL,
	"generation" integer DEFAULT 0 NOT NULL,
	"manifest_at" timestamp (3) with time zone,
	"manifest_tools" integer DEFAULT 0 NOT NULL,
	"manifest_version" text,
	"sdk_build_id" text,
	"scanned_at" timestamp (3) with time zone,
	"scan_status" text,
	"activated_at" timestamp (3) with time zone,
	"activated_by" uuid,
	"validated_at" timestamp (3) with time zone,
	"validation_status" text,
	CONSTRAINT "resource_setups_tenant_id_resource_server_id_pk" PRIMARY KEY("tenant_id","resource_server_id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."resource_tools" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"resource_server_id" uuid NOT NULL,
	"name" text NOT NULL,
	"source" text NOT NULL,
	"definition" jsonb NOT NULL,
	"definition_hash" "bytea" NOT NULL,
	"suggested_scopes" text[] DEFAULT '{}' NOT NULL,
	"present" boolean DEFAULT true NOT NULL,
	"scopes" text[] DEFAULT '{}' NOT NULL,
	"is_public" boolean DEFAULT false NOT NULL,
	"activated" jsonb,
	"activated_hash" "bytea",
	"dismissed" text,
	"changed_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "resource_tools_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
ALTER TABLE "authsec"."clients" ADD COLUMN "response_modes" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "authsec"."oauth_spends" ADD COLUMN "request_hash" "bytea";--> statement-breakpoint
ALTER TABLE "authsec"."mcp_sessions" ADD COLUMN "scopes" text[];--> statement-breakpoint
ALTER TABLE "authsec"."mcp_sessions" ADD COLUMN "user_code_hash" "bytea";--> statement-breakpoint
ALTER TABLE "authsec"."mcp_sessions" ADD COLUMN "code_attempts" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "authsec"."mcp_sessions" ADD COLUMN "confirmed_by" uuid;--> statement-breakpoint
ALTER TABLE "authsec"."resource_directory" ADD COLUMN "key_hash" "bytea";--> statement-breakpoint
ALTER TABLE "authsec"."resource_directory" ADD COLUMN "host" text;--> statement-breakpoint
ALTER TABLE "authsec"."resource_scopes" ADD COLUMN "id" uuid DEFAULT gen_random_uuid() NOT NULL;--> statement-breakpoint
ALTER TABLE "authsec"."resource_scopes" ADD COLUMN "display_name" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "authsec"."resource_scopes" ADD COLUMN "risk_level" text DEFAULT 'low' NOT NULL;--> statement-breakpoint
ALTER TABLE "authsec"."pending_registrations" ADD COLUMN "attempt_hash" "bytea";--> statement-breakpoint
ALTER TABLE "authsec"."sessions" ADD COLUMN "source_session_id" uuid;--> statement-breakpoint
ALTER TABLE "authsec"."tickets" ADD COLUMN "source_session_id" uuid;--> statement-breakpoint
ALTER TABLE "authsec"."users" ADD COLUMN "created_unproved" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "authsec"."resource_setups" ADD CONSTRAINT "resource_setups_server" FOREIGN KEY ("tenant_id","resource_server_id") REFERENCES "authsec"."resource_servers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."resource_tools" ADD CONSTRAINT "resource_tools_server" FOREIGN KEY ("tenant_id","resource_server_id") REFERENCES "authsec"."resource_servers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "resource_tools_name" ON "authsec"."resource_tools" USING btree ("tenant_id","resource_server_id","name");--> statement-breakpoint
CREATE INDEX "resource_directory_key" ON "authsec"."resource_directory" USING btree ("key_hash");--> statement-breakpoint
CREATE UNIQUE INDEX "resource_scopes_id" ON "authsec"."resource_scopes" USING btree ("tenant_id","id");--> statement-breakpoint
CREATE INDEX "sessions_source" ON "authsec"."sessions" USING btree ("tenant_id","source_session_id") WHERE "authsec"."sessions"."source_session_id" is not null;--> statement-breakpoint
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
