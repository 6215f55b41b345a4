ALTER TABLE "authsec"."mcp_sessions" ADD COLUMN "scopes" text[];--> statement-breakpoint
ALTER TABLE "authsec"."mcp_sessions" ADD COLUMN "user_code_hash" "bytea";--> statement-breakpoint
ALTER TABLE "authsec"."mcp_sessions" ADD COLUMN "code_attempts" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "authsec"."mcp_sessions" ADD COLUMN "confirmed_by" uuid;