ALTER TABLE "authsec"."audit_events" ADD COLUMN "details_commit" "bytea";--> statement-breakpoint
ALTER TABLE "authsec"."audit_events" ADD COLUMN "mac" "bytea";