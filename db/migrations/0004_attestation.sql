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
ALTER TABLE "authsec"."attestation_uses" ADD CONSTRAINT "attestation_uses_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."attestors" ADD CONSTRAINT "attestors_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."join_tokens" ADD CONSTRAINT "join_tokens_attestor" FOREIGN KEY ("tenant_id","attestor_id") REFERENCES "authsec"."attestors"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "attestation_uses_expires" ON "authsec"."attestation_uses" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "attestors_name" ON "authsec"."attestors" USING btree ("tenant_id","name");--> statement-breakpoint
CREATE UNIQUE INDEX "join_tokens_hash" ON "authsec"."join_tokens" USING btree ("tenant_id","hash");--> statement-breakpoint
CREATE INDEX "join_tokens_attestor" ON "authsec"."join_tokens" USING btree ("tenant_id","attestor_id");--> statement-breakpoint
CREATE INDEX "join_tokens_expires" ON "authsec"."join_tokens" USING btree ("expires_at");