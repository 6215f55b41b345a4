CREATE SCHEMA "authsec";
--> statement-breakpoint
CREATE TABLE "authsec"."groups" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"description" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "groups_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."permissions" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"resource" text NOT NULL,
	"action" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"is_system" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "permissions_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."role_bindings" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"role_id" uuid NOT NULL,
	"user_id" uuid,
	"service_account_id" uuid,
	"group_id" uuid,
	"scope_type" text,
	"scope_id" uuid,
	"conditions" jsonb,
	"expires_at" timestamp (3) with time zone,
	"created_by" uuid,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "role_bindings_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "role_bindings_once" UNIQUE NULLS NOT DISTINCT("tenant_id","role_id","user_id","service_account_id","group_id","scope_type","scope_id"),
	CONSTRAINT "role_bindings_one_principal" CHECK (num_nonnulls("authsec"."role_bindings"."user_id", "authsec"."role_bindings"."service_account_id", "authsec"."role_bindings"."group_id") = 1),
	CONSTRAINT "role_bindings_scope_pair" CHECK (("authsec"."role_bindings"."scope_type" is null) = ("authsec"."role_bindings"."scope_id" is null))
);
--> statement-breakpoint
CREATE TABLE "authsec"."role_permissions" (
	"tenant_id" uuid NOT NULL,
	"role_id" uuid NOT NULL,
	"permission_id" uuid NOT NULL,
	CONSTRAINT "role_permissions_tenant_id_role_id_permission_id_pk" PRIMARY KEY("tenant_id","role_id","permission_id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."roles" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"is_system" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "roles_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."scope_permissions" (
	"tenant_id" uuid NOT NULL,
	"scope_id" uuid NOT NULL,
	"permission_id" uuid NOT NULL,
	CONSTRAINT "scope_permissions_tenant_id_scope_id_permission_id_pk" PRIMARY KEY("tenant_id","scope_id","permission_id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."scopes" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"usage" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "scopes_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."service_accounts" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"active" boolean DEFAULT true NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "service_accounts_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."user_groups" (
	"tenant_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"group_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "user_groups_tenant_id_user_id_group_id_pk" PRIMARY KEY("tenant_id","user_id","group_id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."agents" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"owner_id" uuid NOT NULL,
	"agent_type" text NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	"created_by" uuid,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "agents_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."delegation_policies" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"role_name" text NOT NULL,
	"agent_type" text NOT NULL,
	"allowed_permissions" text[] NOT NULL,
	"audience" text[] DEFAULT '{}' NOT NULL,
	"max_ttl_seconds" integer DEFAULT 3600 NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"client_id" uuid,
	"impersonation" boolean DEFAULT false NOT NULL,
	"created_by" uuid,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "delegation_policies_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "delegation_policies_pair" UNIQUE("tenant_id","role_name","agent_type")
);
--> statement-breakpoint
CREATE TABLE "authsec"."audit_events" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"event" text NOT NULL,
	"outcome" text NOT NULL,
	"reason" text,
	"actor_type" text NOT NULL,
	"actor_id" uuid,
	"on_behalf_of" uuid,
	"client_id" uuid,
	"session_id" uuid,
	"target_type" text,
	"target_id" text,
	"request_id" text,
	"route" text,
	"count" integer DEFAULT 1 NOT NULL,
	"subject_id" uuid NOT NULL,
	"sealed" "bytea",
	"chain_hash" "bytea",
	CONSTRAINT "audit_events_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."tenant_branding" (
	"tenant_id" uuid PRIMARY KEY NOT NULL,
	"brand" text,
	"brand_ink" text,
	"brand_dark" text,
	"brand_dark_ink" text,
	"radius" integer,
	"logo" "bytea",
	"logo_type" text,
	"updated_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "authsec"."client_directory" (
	"client_id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"active" boolean DEFAULT true NOT NULL,
	"secret_hash" "bytea",
	"sdk_secret_hash" "bytea",
	"previous_secret_hash" "bytea",
	"previous_sdk_secret_hash" "bytea",
	"previous_valid_until" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "authsec"."client_groups" (
	"tenant_id" uuid NOT NULL,
	"client_id" uuid NOT NULL,
	"group_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "client_groups_tenant_id_client_id_group_id_pk" PRIMARY KEY("tenant_id","client_id","group_id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."clients" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"project_id" uuid,
	"name" text NOT NULL,
	"email" text,
	"client_type" text DEFAULT 'application' NOT NULL,
	"status" text DEFAULT 'Active' NOT NULL,
	"active" boolean DEFAULT true NOT NULL,
	"is_default" boolean DEFAULT false NOT NULL,
	"is_public" boolean DEFAULT false NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"tags" text[] DEFAULT '{}' NOT NULL,
	"owner_id" uuid,
	"agent_type" text,
	"spiffe_id" text,
	"platform" text,
	"selectors" jsonb,
	"redirect_uris" text[] DEFAULT '{}' NOT NULL,
	"grant_types" text[] DEFAULT '{"authorization_code","refresh_token","client_credentials"}' NOT NULL,
	"token_endpoint_auth_method" text,
	"jwks" jsonb,
	"client_uri" text,
	"dpop_bound" boolean DEFAULT false NOT NULL,
	"requires_par" boolean DEFAULT false NOT NULL,
	"post_logout_redirect_uris" text[] DEFAULT '{}' NOT NULL,
	"backchannel_logout_uri" text,
	"backchannel_logout_session_required" boolean DEFAULT false NOT NULL,
	"jwks_uri" text,
	"fetched_jwks" jsonb,
	"jwks_fetched_at" timestamp (3) with time zone,
	"registered_by" text DEFAULT 'administrator' NOT NULL,
	"registration_token_hash" "bytea",
	"unused_until" timestamp (3) with time zone,
	"metadata_url" text,
	"metadata_fetched_at" timestamp (3) with time zone,
	"software_id" text,
	"software_version" text,
	"reviewed_redirect_uris" text[],
	"allowed_scopes" text[],
	"oidc_enabled" boolean DEFAULT false NOT NULL,
	"hydra_client_id" text,
	"service_account_id" uuid,
	"last_login_at" timestamp (3) with time zone,
	"valid_from" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"deleted_at" timestamp (3) with time zone,
	CONSTRAINT "clients_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."oauth_budgets" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"holder_id" uuid NOT NULL,
	"detail_hash" "bytea" NOT NULL,
	"path" uuid[] NOT NULL,
	"calls" bigint,
	"calls_spent" bigint DEFAULT 0 NOT NULL,
	"amount" bigint,
	"amount_spent" bigint DEFAULT 0 NOT NULL,
	"currency" text,
	"until" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "oauth_budgets_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."oauth_delegations" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"path" uuid[] NOT NULL,
	"client_id" uuid NOT NULL,
	"subject_token_id" uuid,
	"authorization_id" uuid,
	"root_client_id" uuid,
	"root_made_at" timestamp (3) with time zone NOT NULL,
	"issuer_id" uuid,
	"user_id" uuid,
	"resource_server_id" uuid NOT NULL,
	"scopes" text[] NOT NULL,
	"details" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"act" jsonb,
	"depth" integer NOT NULL,
	"policy_ids" uuid[] DEFAULT '{}' NOT NULL,
	"revoked_at" timestamp (3) with time zone,
	"revoked_reason" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "oauth_delegations_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."oauth_detail_types" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"type" text NOT NULL,
	"title" text NOT NULL,
	"json_schema" jsonb NOT NULL,
	"limits" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"resource_server_id" uuid,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "oauth_detail_types_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."oauth_issuers" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"issuer" text NOT NULL,
	"active" boolean DEFAULT true NOT NULL,
	"accepts_identity" boolean DEFAULT false NOT NULL,
	"accepts_jwt" boolean DEFAULT false NOT NULL,
	"jwks_uri" text,
	"jwks" jsonb,
	"subject_mapping" text DEFAULT 'identity' NOT NULL,
	"scopes" text[],
	"sends" boolean DEFAULT false NOT NULL,
	"client_ids" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"sent_scopes" text[] DEFAULT '{}' NOT NULL,
	"valid_from" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "oauth_issuers_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."oauth_spends" (
	"tenant_id" uuid NOT NULL,
	"budget_id" uuid NOT NULL,
	"key_hash" "bytea" NOT NULL,
	"calls" bigint NOT NULL,
	"amount" bigint NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "oauth_spends_tenant_id_budget_id_key_hash_pk" PRIMARY KEY("tenant_id","budget_id","key_hash")
);
--> statement-breakpoint
CREATE TABLE "authsec"."backup_code_tries" (
	"tenant_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"failed_attempts" integer DEFAULT 0 NOT NULL,
	"paused_until" timestamp (3) with time zone,
	CONSTRAINT "backup_code_tries_tenant_id_user_id_pk" PRIMARY KEY("tenant_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."backup_codes" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"selector" text NOT NULL,
	"code_hash" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"used_at" timestamp (3) with time zone,
	CONSTRAINT "backup_codes_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."factors" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"name" text DEFAULT '' NOT NULL,
	"is_primary" boolean DEFAULT false NOT NULL,
	"failed_attempts" integer DEFAULT 0 NOT NULL,
	"paused_until" timestamp (3) with time zone,
	"confirmed_at" timestamp (3) with time zone,
	"last_used_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "factors_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."pending_enrolments" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"binding" "bytea" NOT NULL,
	"name" text DEFAULT '' NOT NULL,
	"sealed" "bytea" NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "pending_enrolments_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."sms_codes" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"lock_id" uuid NOT NULL,
	"phone_hash" "bytea" NOT NULL,
	"code_hash" "bytea" NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"used_at" timestamp (3) with time zone,
	CONSTRAINT "sms_codes_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."sms_phones" (
	"tenant_id" uuid NOT NULL,
	"factor_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"sealed" "bytea" NOT NULL,
	"phone_hash" "bytea" NOT NULL,
	"display" text NOT NULL,
	CONSTRAINT "sms_phones_tenant_id_factor_id_pk" PRIMARY KEY("tenant_id","factor_id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."totp_secrets" (
	"tenant_id" uuid NOT NULL,
	"factor_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"sealed" "bytea" NOT NULL,
	"device_type" text DEFAULT 'generic' NOT NULL,
	"last_step" integer,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "totp_secrets_tenant_id_factor_id_pk" PRIMARY KEY("tenant_id","factor_id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."federated_identities" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"issuer" text NOT NULL,
	"subject" text NOT NULL,
	"provider" text NOT NULL,
	"is_own_provider" boolean DEFAULT false NOT NULL,
	"email" text,
	"profile" jsonb,
	"last_login_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "federated_identities_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."federation_states" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"state_hash" "bytea" NOT NULL,
	"browser_hash" "bytea" NOT NULL,
	"action" text NOT NULL,
	"provider" text NOT NULL,
	"is_own_provider" boolean DEFAULT false NOT NULL,
	"issuer" text NOT NULL,
	"client_id" text NOT NULL,
	"announces_issuer" boolean DEFAULT false NOT NULL,
	"origin" text NOT NULL,
	"redirect_after" text,
	"redirect_uri" text NOT NULL,
	"page" jsonb,
	"login_challenge" text,
	"for_client_id" uuid,
	"tenant_domain" text,
	"sealed_secrets" "bytea" NOT NULL,
	"user_id" uuid,
	"session_id" uuid,
	"code_hash" "bytea",
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "federation_states_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."identity_directory" (
	"identity_hash" "bytea" NOT NULL,
	"tenant_id" uuid NOT NULL,
	"identity_id" uuid NOT NULL,
	CONSTRAINT "identity_directory_identity_hash_tenant_id_pk" PRIMARY KEY("identity_hash","tenant_id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."ciba_requests" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"client_id" uuid,
	"scopes" text[] DEFAULT '{}' NOT NULL,
	"for_oauth" boolean DEFAULT false NOT NULL,
	"resource_server_id" uuid,
	"jkt" text,
	"details" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"interval_seconds" integer NOT NULL,
	"last_polled_at" timestamp (3) with time zone,
	"polled_too_soon" boolean DEFAULT false NOT NULL,
	"user_id" uuid,
	"session_id" uuid,
	"amr" text[] DEFAULT '{}' NOT NULL,
	"auth_time" timestamp (3) with time zone,
	"decided_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"handle_hash" "bytea" NOT NULL,
	"hint_hash" "bytea" NOT NULL,
	"requested_for" uuid,
	"binding_message" text NOT NULL,
	"number_hash" "bytea",
	"device_ids" uuid[] DEFAULT '{}' NOT NULL,
	"device_id" uuid,
	"biometric_verified" boolean DEFAULT false NOT NULL,
	CONSTRAINT "ciba_requests_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."device_code_directory" (
	"device_code_hash" "bytea" PRIMARY KEY NOT NULL,
	"user_code_hash" "bytea" NOT NULL,
	"tenant_id" uuid NOT NULL,
	"grant_id" uuid NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "authsec"."device_grants" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"client_id" uuid,
	"scopes" text[] DEFAULT '{}' NOT NULL,
	"for_oauth" boolean DEFAULT false NOT NULL,
	"resource_server_id" uuid,
	"jkt" text,
	"details" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"interval_seconds" integer NOT NULL,
	"last_polled_at" timestamp (3) with time zone,
	"polled_too_soon" boolean DEFAULT false NOT NULL,
	"user_id" uuid,
	"session_id" uuid,
	"amr" text[] DEFAULT '{}' NOT NULL,
	"auth_time" timestamp (3) with time zone,
	"decided_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"channel" text DEFAULT 'device' NOT NULL,
	"device_info" jsonb,
	"requested_for" uuid,
	"sealed_user_code" "bytea",
	CONSTRAINT "device_grants_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."push_devices" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"session_id" uuid NOT NULL,
	"platform" text NOT NULL,
	"token_hash" "bytea",
	"sealed_token" "bytea",
	"device_name" text,
	"device_model" text,
	"app_version" text,
	"os_version" text,
	"is_active" boolean DEFAULT true NOT NULL,
	"last_used_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "push_devices_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."voice_links" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"voice_platform" text NOT NULL,
	"voice_user_id" text NOT NULL,
	"voice_user_name" text,
	"link_method" text NOT NULL,
	"last_used_at" timestamp (3) with time zone,
	"linked_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "voice_links_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."voice_sessions" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"client_id" uuid NOT NULL,
	"client_authenticated" boolean NOT NULL,
	"otp_hash" "bytea" NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"status" text DEFAULT 'initiated' NOT NULL,
	"voice_platform" text,
	"voice_user_id" text,
	"device_info" jsonb,
	"scopes" text[] DEFAULT '{}' NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "voice_sessions_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."data_keys" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"subject_id" uuid NOT NULL,
	"wrapped" "bytea" NOT NULL,
	"master_key_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "data_keys_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."signing_keys" (
	"kid" text PRIMARY KEY NOT NULL,
	"alg" text NOT NULL,
	"status" text NOT NULL,
	"public_jwk" jsonb NOT NULL,
	"sealed_private_jwk" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"current_since" timestamp (3) with time zone,
	"retires_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "authsec"."mcp_sessions" (
	"tenant_id" uuid NOT NULL,
	"id_hash" "bytea" NOT NULL,
	"client_id" uuid NOT NULL,
	"app_name" text NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"state_hash" "bytea" NOT NULL,
	"starter_hash" "bytea" NOT NULL,
	"return_url" text,
	"user_id" uuid,
	"authorization_id" uuid,
	"session_id" uuid,
	"authenticated_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "mcp_sessions_tenant_id_id_hash_pk" PRIMARY KEY("tenant_id","id_hash")
);
--> statement-breakpoint
CREATE TABLE "authsec"."mcp_tools" (
	"tenant_id" uuid NOT NULL,
	"client_id" uuid NOT NULL,
	"app_name" text NOT NULL,
	"tools" jsonb NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "mcp_tools_tenant_id_client_id_app_name_pk" PRIMARY KEY("tenant_id","client_id","app_name")
);
--> statement-breakpoint
CREATE TABLE "authsec"."oauth_authorizations" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"grant_id" uuid NOT NULL,
	"client_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"session_id" uuid NOT NULL,
	"offline" boolean DEFAULT false NOT NULL,
	"resource_server_id" uuid,
	"scopes" text[] NOT NULL,
	"auth_time" timestamp (3) with time zone NOT NULL,
	"amr" text[] NOT NULL,
	"acr" text NOT NULL,
	"nonce" text,
	"code_hash" "bytea" NOT NULL,
	"code_expires_at" timestamp (3) with time zone NOT NULL,
	"code_used_at" timestamp (3) with time zone,
	"redirect_uri" text NOT NULL,
	"code_challenge" text NOT NULL,
	"jkt" text,
	"details" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"family_hash" "bytea",
	"generation" integer DEFAULT 0 NOT NULL,
	"rotated_at" timestamp (3) with time zone,
	"refresh_expires_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone,
	"revoked_reason" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "oauth_authorizations_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."oauth_grants" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"client_id" uuid NOT NULL,
	"resource_server_id" uuid,
	"scopes" text[] NOT NULL,
	"remembered_scopes" text[],
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "oauth_grants_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "oauth_grants_what" UNIQUE NULLS NOT DISTINCT("tenant_id","user_id","client_id","resource_server_id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."oauth_requests" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"kind" text NOT NULL,
	"handle_hash" "bytea" NOT NULL,
	"client_id" uuid NOT NULL,
	"user_id" uuid,
	"session_id" uuid,
	"browser_hash" "bytea",
	"consent" jsonb,
	"parameters" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"used_at" timestamp (3) with time zone,
	CONSTRAINT "oauth_requests_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."oauth_used_ids" (
	"tenant_id" uuid NOT NULL,
	"id_hash" "bytea" NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "oauth_used_ids_tenant_id_id_hash_pk" PRIMARY KEY("tenant_id","id_hash")
);
--> statement-breakpoint
CREATE TABLE "authsec"."registration_tokens" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"uses_left" integer NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "registration_tokens_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."resource_access_requests" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"resource_server_id" uuid NOT NULL,
	"client_id" uuid NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "resource_access_requests_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."resource_clients" (
	"tenant_id" uuid NOT NULL,
	"resource_server_id" uuid NOT NULL,
	"client_id" uuid NOT NULL,
	"valid_from" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "resource_clients_tenant_id_resource_server_id_client_id_pk" PRIMARY KEY("tenant_id","resource_server_id","client_id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."resource_directory" (
	"resource_hash" "bytea" PRIMARY KEY NOT NULL,
	"identifier_hash" "bytea" NOT NULL,
	"resource_server_id" uuid NOT NULL,
	"tenant_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "authsec"."resource_first_access" (
	"tenant_id" uuid NOT NULL,
	"resource_server_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "resource_first_access_tenant_id_resource_server_id_user_id_pk" PRIMARY KEY("tenant_id","resource_server_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."resource_scopes" (
	"tenant_id" uuid NOT NULL,
	"resource_server_id" uuid NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"permission" text,
	CONSTRAINT "resource_scopes_tenant_id_resource_server_id_name_pk" PRIMARY KEY("tenant_id","resource_server_id","name")
);
--> statement-breakpoint
CREATE TABLE "authsec"."resource_servers" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"public_base_url" text NOT NULL,
	"protected_base_path" text NOT NULL,
	"resource" text NOT NULL,
	"application_type" text DEFAULT 'mcp_server' NOT NULL,
	"agent_type" text,
	"active" boolean DEFAULT true NOT NULL,
	"introspection_hash" "bytea" NOT NULL,
	"token_seconds" integer DEFAULT 300 NOT NULL,
	"open_to_clients" boolean DEFAULT false NOT NULL,
	"registration_modes" text[] DEFAULT '{"prereg"}' NOT NULL,
	"access_policy_enabled" boolean DEFAULT false NOT NULL,
	"access_policy_role_id" uuid,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "resource_servers_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."job_leases" (
	"job" text PRIMARY KEY NOT NULL,
	"holder" uuid,
	"leased_until" timestamp (3) with time zone,
	"last_started_at" timestamp (3) with time zone,
	"last_finished_at" timestamp (3) with time zone,
	"last_error" text,
	"runs" integer DEFAULT 0 NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "authsec"."limit_counters" (
	"key" "bytea" NOT NULL,
	"window_start" timestamp (3) with time zone NOT NULL,
	"count" integer NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "limit_counters_key_window_start_pk" PRIMARY KEY("key","window_start")
);
--> statement-breakpoint
CREATE TABLE "authsec"."migration_log" (
	"version" integer PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"success" boolean NOT NULL,
	"error" text,
	"duration_ms" integer NOT NULL,
	"executed_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "authsec"."outbox_messages" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"kind" text NOT NULL,
	"sealed" "bytea",
	"data" jsonb,
	"created_at" timestamp (3) with time zone NOT NULL,
	"sent_at" timestamp (3) with time zone,
	"failed_at" timestamp (3) with time zone,
	"last_error" text,
	CONSTRAINT "outbox_messages_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."outbox_queue" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"leased_until" timestamp (3) with time zone,
	CONSTRAINT "outbox_queue_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."client_providers" (
	"tenant_id" uuid NOT NULL,
	"client_id" uuid NOT NULL,
	"provider_id" uuid NOT NULL,
	"display_name" text NOT NULL,
	"sort_order" integer NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "client_providers_tenant_id_client_id_provider_id_pk" PRIMARY KEY("tenant_id","client_id","provider_id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."oidc_providers" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"provider_name" text NOT NULL,
	"display_name" text NOT NULL,
	"client_id" text DEFAULT '' NOT NULL,
	"sealed_client_secret" "bytea",
	"issuer" text,
	"authorization_url" text DEFAULT '' NOT NULL,
	"token_url" text DEFAULT '' NOT NULL,
	"userinfo_url" text DEFAULT '' NOT NULL,
	"jwks_url" text DEFAULT '' NOT NULL,
	"scopes" text DEFAULT 'openid email profile' NOT NULL,
	"additional_params" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"icon_url" text,
	"icon" text,
	"button_text" text,
	"sort_order" integer DEFAULT 100 NOT NULL,
	"is_active" boolean DEFAULT false NOT NULL,
	"allowed_email_domains" text[] DEFAULT '{}' NOT NULL,
	"jit_provisioning" boolean DEFAULT false NOT NULL,
	"trusts_factors" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "oidc_providers_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."saml_keys" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"certificate" text NOT NULL,
	"sealed_private_key" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "saml_keys_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."saml_providers" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"client_id" uuid NOT NULL,
	"provider_name" text NOT NULL,
	"display_name" text NOT NULL,
	"entity_id" text NOT NULL,
	"sso_url" text NOT NULL,
	"slo_url" text,
	"metadata_url" text,
	"certificates" text[] NOT NULL,
	"name_id_format" text NOT NULL,
	"attribute_mapping" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"wants_assertion_signed" boolean DEFAULT false NOT NULL,
	"wants_response_signed" boolean DEFAULT false NOT NULL,
	"signs_requests" boolean DEFAULT true NOT NULL,
	"allows_unsolicited" boolean DEFAULT false NOT NULL,
	"jit_provisioning" boolean DEFAULT false NOT NULL,
	"trusts_factors" boolean DEFAULT false NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"sort_order" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "saml_providers_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."saml_requests" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"relay_hash" "bytea" NOT NULL,
	"browser_hash" "bytea" NOT NULL,
	"request_id" text NOT NULL,
	"provider_id" uuid NOT NULL,
	"client_id" uuid NOT NULL,
	"origin" text NOT NULL,
	"login_challenge" text,
	"page" jsonb,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "saml_requests_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."one_time_codes" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"purpose" text NOT NULL,
	"address_hash" "bytea" NOT NULL,
	"code_hash" "bytea" NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"used_at" timestamp (3) with time zone,
	CONSTRAINT "one_time_codes_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."pending_registrations" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"kind" text NOT NULL,
	"code_id" uuid NOT NULL,
	"email" text NOT NULL,
	"name" text DEFAULT '' NOT NULL,
	"password_hash" text NOT NULL,
	"tenant_domain" text,
	"client_id" uuid,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "pending_registrations_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."revoked_tokens" (
	"tenant_id" uuid NOT NULL,
	"jti" uuid NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"revoked_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "revoked_tokens_tenant_id_jti_pk" PRIMARY KEY("tenant_id","jti")
);
--> statement-breakpoint
CREATE TABLE "authsec"."sessions" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"client_id" uuid,
	"token_id" uuid NOT NULL,
	"amr" text[] NOT NULL,
	"acr" text NOT NULL,
	"temporary_password" boolean DEFAULT false NOT NULL,
	"auth_time" timestamp (3) with time zone NOT NULL,
	"user_agent" text DEFAULT '' NOT NULL,
	"address" text DEFAULT '' NOT NULL,
	"place" text DEFAULT '' NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"last_seen_at" timestamp (3) with time zone NOT NULL,
	"idle_seconds" integer NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"revoked_at" timestamp (3) with time zone,
	"revoked_reason" text,
	CONSTRAINT "sessions_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."tickets" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"handle_hash" "bytea" NOT NULL,
	"purpose" text NOT NULL,
	"user_id" uuid,
	"client_id" uuid,
	"origin" text,
	"verified" text[] DEFAULT '{}' NOT NULL,
	"auth_time" timestamp (3) with time zone,
	"mailbox_proved_at" timestamp (3) with time zone,
	"data" jsonb,
	"refusals" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"used_at" timestamp (3) with time zone,
	CONSTRAINT "tickets_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."domain_directory" (
	"domain" text PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"is_verified" boolean DEFAULT true NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "authsec"."projects" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"user_id" uuid,
	"active" boolean DEFAULT true NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"deleted_at" timestamp (3) with time zone,
	CONSTRAINT "projects_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."tenant_directory" (
	"tenant_id" uuid PRIMARY KEY NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "authsec"."tenant_domains" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"domain" text NOT NULL,
	"kind" text NOT NULL,
	"is_primary" boolean DEFAULT false NOT NULL,
	"is_verified" boolean DEFAULT false NOT NULL,
	"verification_token" text NOT NULL,
	"verified_at" timestamp (3) with time zone,
	"last_checked_at" timestamp (3) with time zone,
	"failure_reason" text,
	"created_by" uuid,
	"updated_by" uuid,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "tenant_domains_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."tenant_usage" (
	"tenant_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"count" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "tenant_usage_tenant_id_kind_pk" PRIMARY KEY("tenant_id","kind")
);
--> statement-breakpoint
CREATE TABLE "authsec"."tenants" (
	"tenant_id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"email" text,
	"domain" text NOT NULL,
	"source" text DEFAULT 'sign_up' NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	"settings" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"valid_from" timestamp (3) with time zone NOT NULL,
	"delete_after" timestamp (3) with time zone,
	"policy_version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "authsec"."administrator_directory" (
	"email_hash" "bytea" NOT NULL,
	"tenant_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"proved_at" timestamp (3) with time zone,
	"last_used_at" timestamp (3) with time zone,
	CONSTRAINT "administrator_directory_email_hash_tenant_id_pk" PRIMARY KEY("email_hash","tenant_id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."known_devices" (
	"tenant_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"device_hash" "bytea" NOT NULL,
	"failed_attempts" integer DEFAULT 0 NOT NULL,
	"locked_until" timestamp (3) with time zone,
	"last_used_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "known_devices_tenant_id_user_id_device_hash_pk" PRIMARY KEY("tenant_id","user_id","device_hash")
);
--> statement-breakpoint
CREATE TABLE "authsec"."user_grams" (
	"tenant_id" uuid NOT NULL,
	"gram" text NOT NULL,
	"user_id" uuid NOT NULL,
	CONSTRAINT "user_grams_tenant_id_gram_user_id_pk" PRIMARY KEY("tenant_id","gram","user_id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."users" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"client_id" uuid,
	"project_id" uuid,
	"email" text NOT NULL,
	"email_verified_at" timestamp (3) with time zone,
	"name" text DEFAULT '' NOT NULL,
	"username" text,
	"search_text" text DEFAULT '' NOT NULL,
	"avatar_url" text,
	"password_hash" text,
	"temporary_password" boolean DEFAULT false NOT NULL,
	"temporary_password_expires_at" timestamp (3) with time zone,
	"password_reset_required" boolean DEFAULT false NOT NULL,
	"provider" text DEFAULT 'local' NOT NULL,
	"provider_id" text,
	"provider_data" jsonb,
	"external_id" text,
	"sync_source" text,
	"is_synced_user" boolean DEFAULT false NOT NULL,
	"last_sync_at" timestamp (3) with time zone,
	"active" boolean DEFAULT true NOT NULL,
	"is_primary_admin" boolean DEFAULT false NOT NULL,
	"failed_attempts" integer DEFAULT 0 NOT NULL,
	"locked_until" timestamp (3) with time zone,
	"valid_from" timestamp (3) with time zone NOT NULL,
	"invited_by" uuid,
	"announced_at" timestamp (3) with time zone,
	"last_login_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"deleted_at" timestamp (3) with time zone,
	CONSTRAINT "users_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."passkey_directory" (
	"entry_hash" "bytea" PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"factor_id" uuid NOT NULL
);
--> statement-breakpoint
CREATE TABLE "authsec"."webauthn_credentials" (
	"tenant_id" uuid NOT NULL,
	"factor_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"credential_id" text NOT NULL,
	"public_key" "bytea" NOT NULL,
	"algorithm" integer NOT NULL,
	"sign_count" bigint NOT NULL,
	"rp_id" text NOT NULL,
	"transports" text[] DEFAULT '{}' NOT NULL,
	"aaguid" uuid NOT NULL,
	"backup_eligible" boolean NOT NULL,
	"backed_up" boolean NOT NULL,
	"user_verified" boolean NOT NULL,
	"discoverable" boolean,
	"counter_alarm_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "webauthn_credentials_tenant_id_factor_id_pk" PRIMARY KEY("tenant_id","factor_id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."webhook_endpoints" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"url" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"sealed_secret" "bytea" NOT NULL,
	"previous_sealed_secret" "bytea",
	"previous_valid_until" timestamp (3) with time zone,
	"events" text[] NOT NULL,
	"include_origin" boolean DEFAULT false NOT NULL,
	"active" boolean DEFAULT true NOT NULL,
	"cursor" uuid,
	"failures" integer DEFAULT 0 NOT NULL,
	"failing_since" timestamp (3) with time zone,
	"last_failure" text,
	"last_status" integer,
	"last_delivered_at" timestamp (3) with time zone,
	"disabled_reason" text,
	"created_by" uuid,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "webhook_endpoints_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "authsec"."webhook_queue" (
	"tenant_id" uuid NOT NULL,
	"endpoint_id" uuid NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL,
	"leased_until" timestamp (3) with time zone,
	"failures" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "webhook_queue_tenant_id_endpoint_id_pk" PRIMARY KEY("tenant_id","endpoint_id")
);
--> statement-breakpoint
ALTER TABLE "authsec"."groups" ADD CONSTRAINT "groups_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."permissions" ADD CONSTRAINT "permissions_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."role_bindings" ADD CONSTRAINT "role_bindings_role" FOREIGN KEY ("tenant_id","role_id") REFERENCES "authsec"."roles"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."role_bindings" ADD CONSTRAINT "role_bindings_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."role_bindings" ADD CONSTRAINT "role_bindings_service_account" FOREIGN KEY ("tenant_id","service_account_id") REFERENCES "authsec"."service_accounts"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."role_bindings" ADD CONSTRAINT "role_bindings_group" FOREIGN KEY ("tenant_id","group_id") REFERENCES "authsec"."groups"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."role_permissions" ADD CONSTRAINT "role_permissions_role" FOREIGN KEY ("tenant_id","role_id") REFERENCES "authsec"."roles"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."role_permissions" ADD CONSTRAINT "role_permissions_permission" FOREIGN KEY ("tenant_id","permission_id") REFERENCES "authsec"."permissions"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."roles" ADD CONSTRAINT "roles_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."scope_permissions" ADD CONSTRAINT "scope_permissions_scope" FOREIGN KEY ("tenant_id","scope_id") REFERENCES "authsec"."scopes"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."scope_permissions" ADD CONSTRAINT "scope_permissions_permission" FOREIGN KEY ("tenant_id","permission_id") REFERENCES "authsec"."permissions"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."scopes" ADD CONSTRAINT "scopes_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."service_accounts" ADD CONSTRAINT "service_accounts_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."user_groups" ADD CONSTRAINT "user_groups_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."user_groups" ADD CONSTRAINT "user_groups_group" FOREIGN KEY ("tenant_id","group_id") REFERENCES "authsec"."groups"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."agents" ADD CONSTRAINT "agents_client" FOREIGN KEY ("tenant_id","id") REFERENCES "authsec"."clients"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."delegation_policies" ADD CONSTRAINT "delegation_policies_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."delegation_policies" ADD CONSTRAINT "delegation_policies_agent" FOREIGN KEY ("tenant_id","client_id") REFERENCES "authsec"."clients"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."tenant_branding" ADD CONSTRAINT "tenant_branding_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."client_groups" ADD CONSTRAINT "client_groups_client" FOREIGN KEY ("tenant_id","client_id") REFERENCES "authsec"."clients"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."client_groups" ADD CONSTRAINT "client_groups_group" FOREIGN KEY ("tenant_id","group_id") REFERENCES "authsec"."groups"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."clients" ADD CONSTRAINT "clients_service_account" FOREIGN KEY ("tenant_id","service_account_id") REFERENCES "authsec"."service_accounts"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."clients" ADD CONSTRAINT "clients_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."oauth_delegations" ADD CONSTRAINT "oauth_delegations_authorization" FOREIGN KEY ("tenant_id","authorization_id") REFERENCES "authsec"."oauth_authorizations"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."oauth_delegations" ADD CONSTRAINT "oauth_delegations_client" FOREIGN KEY ("tenant_id","client_id") REFERENCES "authsec"."clients"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."oauth_delegations" ADD CONSTRAINT "oauth_delegations_server" FOREIGN KEY ("tenant_id","resource_server_id") REFERENCES "authsec"."resource_servers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."oauth_detail_types" ADD CONSTRAINT "oauth_detail_types_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."oauth_detail_types" ADD CONSTRAINT "oauth_detail_types_server" FOREIGN KEY ("tenant_id","resource_server_id") REFERENCES "authsec"."resource_servers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."oauth_issuers" ADD CONSTRAINT "oauth_issuers_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."oauth_spends" ADD CONSTRAINT "oauth_spends_budget" FOREIGN KEY ("tenant_id","budget_id") REFERENCES "authsec"."oauth_budgets"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."backup_code_tries" ADD CONSTRAINT "backup_code_tries_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."backup_codes" ADD CONSTRAINT "backup_codes_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."factors" ADD CONSTRAINT "factors_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."pending_enrolments" ADD CONSTRAINT "pending_enrolments_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."sms_codes" ADD CONSTRAINT "sms_codes_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."sms_phones" ADD CONSTRAINT "sms_phones_factor" FOREIGN KEY ("tenant_id","factor_id") REFERENCES "authsec"."factors"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."totp_secrets" ADD CONSTRAINT "totp_secrets_factor" FOREIGN KEY ("tenant_id","factor_id") REFERENCES "authsec"."factors"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."federated_identities" ADD CONSTRAINT "federated_identities_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."federation_states" ADD CONSTRAINT "federation_states_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."identity_directory" ADD CONSTRAINT "identity_directory_identity" FOREIGN KEY ("tenant_id","identity_id") REFERENCES "authsec"."federated_identities"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."ciba_requests" ADD CONSTRAINT "ciba_requests_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."ciba_requests" ADD CONSTRAINT "ciba_requests_for" FOREIGN KEY ("tenant_id","requested_for") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."device_grants" ADD CONSTRAINT "device_grants_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."device_grants" ADD CONSTRAINT "device_grants_for" FOREIGN KEY ("tenant_id","requested_for") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."push_devices" ADD CONSTRAINT "push_devices_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."voice_links" ADD CONSTRAINT "voice_links_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."mcp_sessions" ADD CONSTRAINT "mcp_sessions_client" FOREIGN KEY ("tenant_id","client_id") REFERENCES "authsec"."clients"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."mcp_sessions" ADD CONSTRAINT "mcp_sessions_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."mcp_tools" ADD CONSTRAINT "mcp_tools_client" FOREIGN KEY ("tenant_id","client_id") REFERENCES "authsec"."clients"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."oauth_authorizations" ADD CONSTRAINT "oauth_authorizations_grant" FOREIGN KEY ("tenant_id","grant_id") REFERENCES "authsec"."oauth_grants"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."oauth_grants" ADD CONSTRAINT "oauth_grants_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."oauth_grants" ADD CONSTRAINT "oauth_grants_client" FOREIGN KEY ("tenant_id","client_id") REFERENCES "authsec"."clients"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."oauth_grants" ADD CONSTRAINT "oauth_grants_server" FOREIGN KEY ("tenant_id","resource_server_id") REFERENCES "authsec"."resource_servers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."oauth_requests" ADD CONSTRAINT "oauth_requests_client" FOREIGN KEY ("tenant_id","client_id") REFERENCES "authsec"."clients"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."registration_tokens" ADD CONSTRAINT "registration_tokens_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."resource_access_requests" ADD CONSTRAINT "resource_access_requests_server" FOREIGN KEY ("tenant_id","resource_server_id") REFERENCES "authsec"."resource_servers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."resource_access_requests" ADD CONSTRAINT "resource_access_requests_client" FOREIGN KEY ("tenant_id","client_id") REFERENCES "authsec"."clients"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."resource_clients" ADD CONSTRAINT "resource_clients_server" FOREIGN KEY ("tenant_id","resource_server_id") REFERENCES "authsec"."resource_servers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."resource_clients" ADD CONSTRAINT "resource_clients_client" FOREIGN KEY ("tenant_id","client_id") REFERENCES "authsec"."clients"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."resource_first_access" ADD CONSTRAINT "resource_first_access_server" FOREIGN KEY ("tenant_id","resource_server_id") REFERENCES "authsec"."resource_servers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."resource_first_access" ADD CONSTRAINT "resource_first_access_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."resource_scopes" ADD CONSTRAINT "resource_scopes_server" FOREIGN KEY ("tenant_id","resource_server_id") REFERENCES "authsec"."resource_servers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."resource_servers" ADD CONSTRAINT "resource_servers_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."client_providers" ADD CONSTRAINT "client_providers_client" FOREIGN KEY ("tenant_id","client_id") REFERENCES "authsec"."clients"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."client_providers" ADD CONSTRAINT "client_providers_provider" FOREIGN KEY ("tenant_id","provider_id") REFERENCES "authsec"."oidc_providers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."saml_keys" ADD CONSTRAINT "saml_keys_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."saml_providers" ADD CONSTRAINT "saml_providers_client" FOREIGN KEY ("tenant_id","client_id") REFERENCES "authsec"."clients"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."saml_requests" ADD CONSTRAINT "saml_requests_provider" FOREIGN KEY ("tenant_id","provider_id") REFERENCES "authsec"."saml_providers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."pending_registrations" ADD CONSTRAINT "pending_registrations_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."sessions" ADD CONSTRAINT "sessions_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."tickets" ADD CONSTRAINT "tickets_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."projects" ADD CONSTRAINT "projects_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."tenant_domains" ADD CONSTRAINT "tenant_domains_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."known_devices" ADD CONSTRAINT "known_devices_user" FOREIGN KEY ("tenant_id","user_id") REFERENCES "authsec"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."users" ADD CONSTRAINT "users_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."passkey_directory" ADD CONSTRAINT "passkey_directory_factor" FOREIGN KEY ("tenant_id","factor_id") REFERENCES "authsec"."webauthn_credentials"("tenant_id","factor_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."webauthn_credentials" ADD CONSTRAINT "webauthn_credentials_factor" FOREIGN KEY ("tenant_id","factor_id") REFERENCES "authsec"."factors"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authsec"."webhook_endpoints" ADD CONSTRAINT "webhook_endpoints_tenant" FOREIGN KEY ("tenant_id") REFERENCES "authsec"."tenants"("tenant_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "groups_name" ON "authsec"."groups" USING btree ("tenant_id","name");--> statement-breakpoint
CREATE UNIQUE INDEX "permissions_pair" ON "authsec"."permissions" USING btree ("tenant_id","resource","action");--> statement-breakpoint
CREATE INDEX "role_bindings_user" ON "authsec"."role_bindings" USING btree ("tenant_id","user_id");--> statement-breakpoint
CREATE INDEX "role_bindings_group" ON "authsec"."role_bindings" USING btree ("tenant_id","group_id");--> statement-breakpoint
CREATE INDEX "role_bindings_service_account" ON "authsec"."role_bindings" USING btree ("tenant_id","service_account_id");--> statement-breakpoint
CREATE UNIQUE INDEX "roles_name" ON "authsec"."roles" USING btree ("tenant_id","name");--> statement-breakpoint
CREATE UNIQUE INDEX "scopes_name" ON "authsec"."scopes" USING btree ("tenant_id","name");--> statement-breakpoint
CREATE UNIQUE INDEX "service_accounts_name" ON "authsec"."service_accounts" USING btree ("tenant_id","name");--> statement-breakpoint
CREATE INDEX "user_groups_group" ON "authsec"."user_groups" USING btree ("tenant_id","group_id");--> statement-breakpoint
CREATE INDEX "agents_owner" ON "authsec"."agents" USING btree ("tenant_id","owner_id");--> statement-breakpoint
CREATE INDEX "agents_created" ON "authsec"."agents" USING btree ("tenant_id","created_at");--> statement-breakpoint
CREATE INDEX "delegation_policies_client" ON "authsec"."delegation_policies" USING btree ("tenant_id","client_id");--> statement-breakpoint
CREATE INDEX "audit_events_event" ON "authsec"."audit_events" USING btree ("tenant_id","event","id");--> statement-breakpoint
CREATE INDEX "audit_events_actor" ON "authsec"."audit_events" USING btree ("tenant_id","actor_id","id");--> statement-breakpoint
CREATE INDEX "audit_events_target" ON "authsec"."audit_events" USING btree ("tenant_id","target_id","id");--> statement-breakpoint
CREATE INDEX "client_directory_tenant" ON "authsec"."client_directory" USING btree ("tenant_id");--> statement-breakpoint
CREATE INDEX "client_groups_group" ON "authsec"."client_groups" USING btree ("tenant_id","group_id");--> statement-breakpoint
CREATE INDEX "clients_created" ON "authsec"."clients" USING btree ("tenant_id","created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "clients_default" ON "authsec"."clients" USING btree ("tenant_id") WHERE "authsec"."clients"."is_default";--> statement-breakpoint
CREATE INDEX "clients_by_service_account" ON "authsec"."clients" USING btree ("tenant_id","service_account_id");--> statement-breakpoint
CREATE UNIQUE INDEX "clients_hydra" ON "authsec"."clients" USING btree ("tenant_id","hydra_client_id");--> statement-breakpoint
CREATE UNIQUE INDEX "clients_metadata_url" ON "authsec"."clients" USING btree ("tenant_id","metadata_url");--> statement-breakpoint
CREATE INDEX "clients_unused" ON "authsec"."clients" USING btree ("unused_until");--> statement-breakpoint
CREATE UNIQUE INDEX "oauth_budgets_detail" ON "authsec"."oauth_budgets" USING btree ("tenant_id","holder_id","detail_hash");--> statement-breakpoint
CREATE INDEX "oauth_budgets_expires" ON "authsec"."oauth_budgets" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "oauth_delegations_authorization" ON "authsec"."oauth_delegations" USING btree ("tenant_id","authorization_id");--> statement-breakpoint
CREATE INDEX "oauth_delegations_live" ON "authsec"."oauth_delegations" USING btree ("tenant_id","expires_at");--> statement-breakpoint
CREATE INDEX "oauth_delegations_expires" ON "authsec"."oauth_delegations" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "oauth_detail_types_type" ON "authsec"."oauth_detail_types" USING btree ("tenant_id","type");--> statement-breakpoint
CREATE UNIQUE INDEX "oauth_issuers_issuer" ON "authsec"."oauth_issuers" USING btree ("tenant_id","issuer");--> statement-breakpoint
CREATE INDEX "oauth_spends_expires" ON "authsec"."oauth_spends" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "backup_codes_selector" ON "authsec"."backup_codes" USING btree ("tenant_id","user_id","selector");--> statement-breakpoint
CREATE INDEX "factors_user" ON "authsec"."factors" USING btree ("tenant_id","user_id");--> statement-breakpoint
CREATE INDEX "pending_enrolments_binding" ON "authsec"."pending_enrolments" USING btree ("tenant_id","user_id","kind","binding");--> statement-breakpoint
CREATE INDEX "pending_enrolments_expires" ON "authsec"."pending_enrolments" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "sms_codes_user" ON "authsec"."sms_codes" USING btree ("tenant_id","user_id","created_at");--> statement-breakpoint
CREATE INDEX "sms_codes_phone" ON "authsec"."sms_codes" USING btree ("tenant_id","phone_hash","created_at");--> statement-breakpoint
CREATE INDEX "sms_codes_expires" ON "authsec"."sms_codes" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "sms_phones_user" ON "authsec"."sms_phones" USING btree ("tenant_id","user_id");--> statement-breakpoint
CREATE INDEX "totp_secrets_user" ON "authsec"."totp_secrets" USING btree ("tenant_id","user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "federated_identities_subject" ON "authsec"."federated_identities" USING btree ("tenant_id","issuer","subject");--> statement-breakpoint
CREATE INDEX "federated_identities_user" ON "authsec"."federated_identities" USING btree ("tenant_id","user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "federation_states_state" ON "authsec"."federation_states" USING btree ("tenant_id","state_hash");--> statement-breakpoint
CREATE INDEX "federation_states_expires" ON "authsec"."federation_states" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "federation_states_user" ON "authsec"."federation_states" USING btree ("tenant_id","user_id") WHERE "authsec"."federation_states"."user_id" is not null;--> statement-breakpoint
CREATE INDEX "identity_directory_identity" ON "authsec"."identity_directory" USING btree ("tenant_id","identity_id");--> statement-breakpoint
CREATE UNIQUE INDEX "ciba_requests_handle" ON "authsec"."ciba_requests" USING btree ("tenant_id","handle_hash");--> statement-breakpoint
CREATE INDEX "ciba_requests_hint" ON "authsec"."ciba_requests" USING btree ("tenant_id","hint_hash","created_at");--> statement-breakpoint
CREATE INDEX "ciba_requests_requested_for" ON "authsec"."ciba_requests" USING btree ("tenant_id","requested_for","created_at");--> statement-breakpoint
CREATE INDEX "ciba_requests_expires" ON "authsec"."ciba_requests" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "device_code_directory_user_code" ON "authsec"."device_code_directory" USING btree ("user_code_hash");--> statement-breakpoint
CREATE UNIQUE INDEX "device_code_directory_grant" ON "authsec"."device_code_directory" USING btree ("grant_id");--> statement-breakpoint
CREATE INDEX "device_code_directory_expires" ON "authsec"."device_code_directory" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "device_grants_requested_for" ON "authsec"."device_grants" USING btree ("tenant_id","requested_for","created_at");--> statement-breakpoint
CREATE INDEX "device_grants_expires" ON "authsec"."device_grants" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "push_devices_token" ON "authsec"."push_devices" USING btree ("tenant_id","token_hash");--> statement-breakpoint
CREATE INDEX "push_devices_user" ON "authsec"."push_devices" USING btree ("tenant_id","user_id","created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "voice_links_speaker" ON "authsec"."voice_links" USING btree ("tenant_id","voice_platform","voice_user_id");--> statement-breakpoint
CREATE INDEX "voice_links_user" ON "authsec"."voice_links" USING btree ("tenant_id","user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "voice_sessions_token" ON "authsec"."voice_sessions" USING btree ("tenant_id","token_hash");--> statement-breakpoint
CREATE INDEX "voice_sessions_expires" ON "authsec"."voice_sessions" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "data_keys_subject" ON "authsec"."data_keys" USING btree ("tenant_id","subject_id");--> statement-breakpoint
CREATE UNIQUE INDEX "signing_keys_one_current" ON "authsec"."signing_keys" USING btree ("alg") WHERE "authsec"."signing_keys"."status" = 'current';--> statement-breakpoint
CREATE UNIQUE INDEX "signing_keys_one_next" ON "authsec"."signing_keys" USING btree ("alg") WHERE "authsec"."signing_keys"."status" = 'next';--> statement-breakpoint
CREATE UNIQUE INDEX "mcp_sessions_state" ON "authsec"."mcp_sessions" USING btree ("tenant_id","state_hash");--> statement-breakpoint
CREATE INDEX "mcp_sessions_app" ON "authsec"."mcp_sessions" USING btree ("tenant_id","client_id","app_name");--> statement-breakpoint
CREATE INDEX "mcp_sessions_expires" ON "authsec"."mcp_sessions" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "oauth_authorizations_code" ON "authsec"."oauth_authorizations" USING btree ("tenant_id","code_hash");--> statement-breakpoint
CREATE INDEX "oauth_authorizations_grant" ON "authsec"."oauth_authorizations" USING btree ("tenant_id","grant_id");--> statement-breakpoint
CREATE INDEX "oauth_authorizations_session" ON "authsec"."oauth_authorizations" USING btree ("tenant_id","session_id");--> statement-breakpoint
CREATE INDEX "oauth_authorizations_expires" ON "authsec"."oauth_authorizations" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "oauth_grants_client" ON "authsec"."oauth_grants" USING btree ("tenant_id","client_id");--> statement-breakpoint
CREATE UNIQUE INDEX "oauth_requests_handle" ON "authsec"."oauth_requests" USING btree ("tenant_id","handle_hash");--> statement-breakpoint
CREATE INDEX "oauth_requests_expires" ON "authsec"."oauth_requests" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "oauth_used_ids_expires" ON "authsec"."oauth_used_ids" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "registration_tokens_token" ON "authsec"."registration_tokens" USING btree ("tenant_id","token_hash");--> statement-breakpoint
CREATE INDEX "registration_tokens_expires" ON "authsec"."registration_tokens" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "resource_access_requests_what" ON "authsec"."resource_access_requests" USING btree ("tenant_id","resource_server_id","client_id");--> statement-breakpoint
CREATE INDEX "resource_access_requests_client" ON "authsec"."resource_access_requests" USING btree ("tenant_id","client_id");--> statement-breakpoint
CREATE INDEX "resource_access_requests_expires" ON "authsec"."resource_access_requests" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "resource_clients_client" ON "authsec"."resource_clients" USING btree ("tenant_id","client_id");--> statement-breakpoint
CREATE UNIQUE INDEX "resource_directory_server" ON "authsec"."resource_directory" USING btree ("resource_server_id");--> statement-breakpoint
CREATE INDEX "resource_directory_tenant" ON "authsec"."resource_directory" USING btree ("tenant_id");--> statement-breakpoint
CREATE INDEX "resource_directory_identifier" ON "authsec"."resource_directory" USING btree ("identifier_hash");--> statement-breakpoint
CREATE UNIQUE INDEX "resource_servers_resource" ON "authsec"."resource_servers" USING btree ("tenant_id","resource");--> statement-breakpoint
CREATE INDEX "limit_counters_expires" ON "authsec"."limit_counters" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "outbox_queue_due" ON "authsec"."outbox_queue" USING btree ("due_at");--> statement-breakpoint
CREATE INDEX "client_providers_provider" ON "authsec"."client_providers" USING btree ("tenant_id","provider_id");--> statement-breakpoint
CREATE UNIQUE INDEX "oidc_providers_name" ON "authsec"."oidc_providers" USING btree ("tenant_id","provider_name");--> statement-breakpoint
CREATE UNIQUE INDEX "saml_providers_name" ON "authsec"."saml_providers" USING btree ("tenant_id","client_id","provider_name");--> statement-breakpoint
CREATE INDEX "saml_providers_entity" ON "authsec"."saml_providers" USING btree ("tenant_id","entity_id");--> statement-breakpoint
CREATE UNIQUE INDEX "saml_requests_relay" ON "authsec"."saml_requests" USING btree ("tenant_id","relay_hash");--> statement-breakpoint
CREATE INDEX "saml_requests_expires" ON "authsec"."saml_requests" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "one_time_codes_lock" ON "authsec"."one_time_codes" USING btree ("tenant_id","purpose","address_hash","created_at");--> statement-breakpoint
CREATE INDEX "one_time_codes_expires" ON "authsec"."one_time_codes" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "pending_registrations_email" ON "authsec"."pending_registrations" USING btree ("tenant_id","kind","email","created_at");--> statement-breakpoint
CREATE INDEX "pending_registrations_expires" ON "authsec"."pending_registrations" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "revoked_tokens_expires" ON "authsec"."revoked_tokens" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "sessions_user" ON "authsec"."sessions" USING btree ("tenant_id","user_id","created_at");--> statement-breakpoint
CREATE INDEX "sessions_expires" ON "authsec"."sessions" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "tickets_handle" ON "authsec"."tickets" USING btree ("tenant_id","handle_hash");--> statement-breakpoint
CREATE INDEX "tickets_expires" ON "authsec"."tickets" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "domain_directory_tenant" ON "authsec"."domain_directory" USING btree ("tenant_id");--> statement-breakpoint
CREATE INDEX "projects_user" ON "authsec"."projects" USING btree ("tenant_id","user_id","created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "tenant_domains_domain" ON "authsec"."tenant_domains" USING btree ("tenant_id","domain");--> statement-breakpoint
CREATE UNIQUE INDEX "tenant_domains_primary" ON "authsec"."tenant_domains" USING btree ("tenant_id") WHERE "authsec"."tenant_domains"."is_primary";--> statement-breakpoint
CREATE INDEX "administrator_directory_user" ON "authsec"."administrator_directory" USING btree ("tenant_id","user_id");--> statement-breakpoint
CREATE INDEX "user_grams_user" ON "authsec"."user_grams" USING btree ("tenant_id","user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "users_email" ON "authsec"."users" USING btree ("tenant_id","email");--> statement-breakpoint
CREATE UNIQUE INDEX "users_external_id" ON "authsec"."users" USING btree ("tenant_id","client_id","external_id");--> statement-breakpoint
CREATE INDEX "users_by_external_id" ON "authsec"."users" USING btree ("tenant_id","external_id");--> statement-breakpoint
CREATE INDEX "users_created" ON "authsec"."users" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE INDEX "users_name" ON "authsec"."users" USING btree ("tenant_id","name","id");--> statement-breakpoint
CREATE INDEX "users_primary" ON "authsec"."users" USING btree ("tenant_id") WHERE "authsec"."users"."is_primary_admin";--> statement-breakpoint
CREATE INDEX "users_username" ON "authsec"."users" USING btree ("tenant_id","username");--> statement-breakpoint
CREATE INDEX "passkey_directory_factor" ON "authsec"."passkey_directory" USING btree ("tenant_id","factor_id");--> statement-breakpoint
CREATE UNIQUE INDEX "webauthn_credentials_id" ON "authsec"."webauthn_credentials" USING btree ("tenant_id","credential_id");--> statement-breakpoint
CREATE INDEX "webauthn_credentials_user" ON "authsec"."webauthn_credentials" USING btree ("tenant_id","user_id");--> statement-breakpoint
CREATE INDEX "webauthn_credentials_alarm" ON "authsec"."webauthn_credentials" USING btree ("tenant_id","counter_alarm_at") WHERE "authsec"."webauthn_credentials"."counter_alarm_at" is not null;--> statement-breakpoint
CREATE INDEX "webhook_queue_due" ON "authsec"."webhook_queue" USING btree ("due_at");