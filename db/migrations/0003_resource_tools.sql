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
ALTER TABLE "authsec"."resource_scopes" ADD COLUMN "id" uuid DEFAULT gen_random_uuid() NOT NULL;--> statement-breakpoint
ALTER TABLE "authsec"."resource_scopes" ADD COLUMN "display_name" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "authsec"."resource_scopes" ADD COLUMN "risk_level" text DEFAULT 'low' NOT NULL;--> statement-breakpoint
ALTER TABLE "authsec"."resource_setups" ADD CONSTRAINT "resource_setups_server" FOREIGN KEY ("tenant_id","resource_server_id") REFERENCES "authsec"."resource_servers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."resource_tools" ADD CONSTRAINT "resource_tools_server" FOREIGN KEY ("tenant_id","resource_server_id") REFERENCES "authsec"."resource_servers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "resource_tools_name" ON "authsec"."resource_tools" USING btree ("tenant_id","resource_server_id","name");--> statement-breakpoint
CREATE UNIQUE INDEX "resource_scopes_id" ON "authsec"."resource_scopes" USING btree ("tenant_id","id");