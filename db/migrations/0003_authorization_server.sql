ALTER TABLE "authsec"."clients" ADD COLUMN "response_modes" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "authsec"."oauth_spends" ADD COLUMN "request_hash" "bytea";--> statement-breakpoint
ALTER TABLE "authsec"."resource_directory" ADD COLUMN "key_hash" "bytea";--> statement-breakpoint
CREATE INDEX "resource_directory_key" ON "authsec"."resource_directory" USING btree ("key_hash");