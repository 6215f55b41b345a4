ALTER TABLE "authsec"."tickets" ADD COLUMN "source_session_id" uuid;--> statement-breakpoint
ALTER TABLE "authsec"."sessions" ADD COLUMN "source_session_id" uuid;--> statement-breakpoint
CREATE INDEX "sessions_source" ON "authsec"."sessions" USING btree ("tenant_id","source_session_id") WHERE "authsec"."sessions"."source_session_id" is not null;