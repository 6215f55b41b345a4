CREATE TABLE "authsec"."attestation_uses" (
	"tenant_id" uuid NOT NULL,
	"evidence_digest" "bytea" NOT NULL,
	"jkt" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "attestation_uses_tenant_id_evidence_digest_pk" PRIMARY KEY("tenant_id","evidence_digest")
);
--> statement-breakpoint
CREATE TABLE "authsec"."attestors" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"issuer" text,
	"jwks_uri" text,
	"jwks" jsonb,
	"algorithms" text[] DEFAULT '{}' NOT NULL,
	"audience" text,
	"key_binding" text NOT NULL,
	"max_age_seconds" integer DEFAULT 600 NOT NULL,
	"rules" jsonb NOT NULL,
	"regions" text[] DEFAULT '{}' NOT NULL,
	"certificate_authorities" text[] DEFAULT '{}' NOT NULL,
	"revoked_serials" text[] DEFAULT '{}' NOT NULL,
	"token_review_url" text,
	"token_review_ca" text,
	"sealed_token_review_token" "bytea",
	"trust_domain" text,
	"active" boolean DEFAULT true NOT NULL,
	"valid_from" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "attestors_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."join_tokens" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"hash" "bytea" NOT NULL,
	"attestor_id" uuid NOT NULL,
	"entry_id" uuid,
	"description" text DEFAULT '' NOT NULL,
	"created_by" uuid NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"used_at" timestamp (3) with time zone,
	"used_jkt" text,
	CONSTRAINT "join_tokens_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."federated_bundles" (
	"tenant_id" uuid NOT NULL,
	"trust_domain" text NOT NULL,
	"endpoint" text NOT NULL,
	"profile" text NOT NULL,
	"bundle" jsonb,
	"sequence" bigint,
	"fetched_at" timestamp (3) with time zone,
	"hint_seconds" integer DEFAULT 300 NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "federated_bundles_tenant_id_trust_domain_pk" PRIMARY KEY("tenant_id","trust_domain")
);
--> statement-breakpoint
CREATE TABLE "authsec"."registration_entries" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"spiffe_id" text NOT NULL,
	"parent_id" text NOT NULL,
	"selectors" text[] NOT NULL,
	"agent_id" uuid,
	"x509_seconds" integer NOT NULL,
	"jwt_seconds" integer NOT NULL,
	"audiences" text[] NOT NULL,
	"admin" boolean DEFAULT false NOT NULL,
	"downstream" boolean DEFAULT false NOT NULL,
	"federates_with" text[] DEFAULT '{}' NOT NULL,
	"created_by" uuid,
	"valid_from" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "registration_entries_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "registration_entries_spiffe_id" UNIQUE("tenant_id","spiffe_id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."svids" (
	"tenant_id" uuid NOT NULL,
	"id" text NOT NULL,
	"kind" text NOT NULL,
	"spiffe_id" text NOT NULL,
	"entry_id" uuid NOT NULL,
	"instance_id" uuid,
	"kid" text NOT NULL,
	"jkt" text,
	"first_issued_at" timestamp (3) with time zone NOT NULL,
	"issued_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"revoked_at" timestamp (3) with time zone,
	"reason" text,
	CONSTRAINT "svids_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."trust_domains" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"sequence" bigint DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "trust_domains_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "trust_domains_name" UNIQUE("tenant_id","name")
);
--> statement-breakpoint
CREATE TABLE "authsec"."workload_keys" (
	"tenant_id" uuid NOT NULL,
	"kid" text NOT NULL,
	"trust_domain_id" uuid NOT NULL,
	"use" text NOT NULL,
	"alg" text NOT NULL,
	"status" text NOT NULL,
	"sealed" "bytea" NOT NULL,
	"not_after" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"current_since" timestamp (3) with time zone,
	"retires_at" timestamp (3) with time zone,
	CONSTRAINT "workload_keys_tenant_id_kid_pk" PRIMARY KEY("tenant_id","kid")
);
--> statement-breakpoint
ALTER TABLE "authsec"."audit_events" ADD COLUMN "details_commit" "bytea";--> statement-breakpoint
ALTER TABLE "authsec"."audit_events" ADD COLUMN "mac" "bytea";--> statement-breakpoint
ALTER TABLE "authsec"."attestation_uses" ADD CONSTRAINT "attestation_uses_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."attestors" ADD CONSTRAINT "attestors_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."join_tokens" ADD CONSTRAINT "join_tokens_attestor" FOREIGN KEY ("tenant_id","attestor_id") REFERENCES "authsec"."attestors"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."federated_bundles" ADD CONSTRAINT "federated_bundles_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."registration_entries" ADD CONSTRAINT "registration_entries_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."registration_entries" ADD CONSTRAINT "registration_entries_client" FOREIGN KEY ("tenant_id","agent_id") REFERENCES "authsec"."clients"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."svids" ADD CONSTRAINT "svids_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."trust_domains" ADD CONSTRAINT "trust_domains_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."workload_keys" ADD CONSTRAINT "workload_keys_trust_domain" FOREIGN KEY ("tenant_id","trust_domain_id") REFERENCES "authsec"."trust_domains"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "attestation_uses_expires" ON "authsec"."attestation_uses" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "attestors_name" ON "authsec"."attestors" USING btree ("tenant_id","name");--> statement-breakpoint
CREATE UNIQUE INDEX "join_tokens_hash" ON "authsec"."join_tokens" USING btree ("tenant_id","hash");--> statement-breakpoint
CREATE INDEX "join_tokens_attestor" ON "authsec"."join_tokens" USING btree ("tenant_id","attestor_id");--> statement-breakpoint
CREATE INDEX "join_tokens_expires" ON "authsec"."join_tokens" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "registration_entries_parent" ON "authsec"."registration_entries" USING btree ("tenant_id","parent_id");--> statement-breakpoint
CREATE INDEX "registration_entries_created" ON "authsec"."registration_entries" USING btree ("tenant_id","created_at");--> statement-breakpoint
CREATE INDEX "registration_entries_agent" ON "authsec"."registration_entries" USING btree ("tenant_id","agent_id");--> statement-breakpoint
CREATE INDEX "svids_entry" ON "authsec"."svids" USING btree ("tenant_id","entry_id");--> statement-breakpoint
CREATE INDEX "svids_kid" ON "authsec"."svids" USING btree ("tenant_id","kid");--> statement-breakpoint
CREATE INDEX "svids_revoked" ON "authsec"."svids" USING btree ("tenant_id","revoked_at") WHERE "authsec"."svids"."revoked_at" is not null;--> statement-breakpoint
CREATE INDEX "svids_expiry" ON "authsec"."svids" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "workload_keys_one_current" ON "authsec"."workload_keys" USING btree ("tenant_id","trust_domain_id","use","alg") WHERE "authsec"."workload_keys"."status" = 'current';--> statement-breakpoint
CREATE UNIQUE INDEX "workload_keys_one_next" ON "authsec"."workload_keys" USING btree ("tenant_id","trust_domain_id","use","alg") WHERE "authsec"."workload_keys"."status" = 'next';