// Roles, row level security and grants, as one idempotent script that runs after every migration. A table cannot be forgotten: one outside the
// directory list gets forced row level security or stops the migration.

/**
 * Tables without row level security: data that is needed before the tenant is known. They contain ids, keyed hashes, sealed bytes and times, and no
 * personal data. docs/data-model.md gives the reason for each.
 */
export const DIRECTORY_TABLES = [
  'tenant_directory',
  'domain_directory',
  'administrator_directory',
  'identity_directory',
  'client_directory',
  'signing_keys',
  'job_leases',
  'limit_counters',
  'outbox_queue',
  'webhook_queue',
  'migration_log',
  'resource_directory',
  'passkey_directory',
  'device_code_directory',
] as const

/** Tables that a request may insert into and read, but never update or delete from. */
const APPEND_ONLY = ['audit_events', 'revoked_tokens']
/** Tables that a request may only read. */
const READ_ONLY = ['migration_log']

/** The tables of a compiled policy (db/store/policy.ts). A change of any of their rows raises the tenant's policy version. */
const POLICY_TABLES = ['permissions', 'roles', 'role_permissions', 'role_bindings']

/** Commands that the jobs role may run across tenants, and the rows they apply to. */
const JOBS: readonly { readonly table: string; readonly commands: readonly ('select' | 'update' | 'delete')[]; readonly rows: string }[] = [
  { table: 'sessions', commands: ['select', 'delete'], rows: `expires_at < now() - interval '7 days'` },
  { table: 'tickets', commands: ['select', 'delete'], rows: `expires_at < now() - interval '1 hour'` },
  { table: 'one_time_codes', commands: ['select', 'delete'], rows: `expires_at < now() - interval '1 hour'` },
  { table: 'pending_registrations', commands: ['select', 'delete'], rows: `expires_at < now() - interval '1 hour'` },
  { table: 'federation_states', commands: ['select', 'delete'], rows: `expires_at < now() - interval '1 hour'` },
  { table: 'pending_enrolments', commands: ['select', 'delete'], rows: `expires_at < now() - interval '1 hour'` },
  { table: 'sms_codes', commands: ['select', 'delete'], rows: `expires_at < now() - interval '1 day'` },
  { table: 'device_grants', commands: ['select', 'delete'], rows: `expires_at < now() - interval '24 hours'` },
  { table: 'ciba_requests', commands: ['select', 'delete'], rows: `expires_at < now() - interval '24 hours'` },
  { table: 'mcp_sessions', commands: ['select', 'delete'], rows: `expires_at < now() - interval '1 hour'` },
  { table: 'voice_sessions', commands: ['select', 'delete'], rows: `expires_at < now() - interval '1 hour'` },
  { table: 'revoked_tokens', commands: ['select', 'delete'], rows: `expires_at < now()` },
  { table: 'tenant_domains', commands: ['select', 'delete'], rows: `not is_verified and created_at < now() - interval '7 days'` },
  { table: 'data_keys', commands: ['select', 'update'], rows: 'true' },
  { table: 'outbox_messages', commands: ['select', 'delete'], rows: `sent_at < now() - interval '7 days' or failed_at < now() - interval '30 days'` },
  { table: 'oauth_authorizations', commands: ['select', 'delete'], rows: `expires_at < now() - interval '1 hour'` },
  { table: 'oauth_requests', commands: ['select', 'delete'], rows: `expires_at < now() - interval '1 hour'` },
  { table: 'oauth_used_ids', commands: ['select', 'delete'], rows: `expires_at < now()` },
  { table: 'registration_tokens', commands: ['select', 'delete'], rows: `expires_at < now() - interval '24 hours'` },
  { table: 'resource_access_requests', commands: ['select', 'delete'], rows: `expires_at < now() - interval '24 hours'` },
  { table: 'clients', commands: ['select', 'delete'], rows: `unused_until < now() - interval '1 hour'` },
  { table: 'saml_requests', commands: ['select', 'delete'], rows: `expires_at < now() - interval '1 hour'` },
  { table: 'oauth_delegations', commands: ['select', 'delete'], rows: `expires_at < now() - interval '1 hour'` },
  { table: 'oauth_budgets', commands: ['select', 'delete'], rows: `expires_at < now() - interval '1 hour'` },
  { table: 'trust_domains', commands: ['select'], rows: 'true' },
  { table: 'svids', commands: ['select', 'delete'], rows: `expires_at < now() - interval '1 hour'` },
  { table: 'oauth_spends', commands: ['select', 'delete'], rows: `expires_at < now() - interval '1 hour'` },
  { table: 'attestation_uses', commands: ['select', 'delete'], rows: `expires_at < now() - interval '1 hour'` },
  { table: 'join_tokens', commands: ['select', 'delete'], rows: `expires_at < now() - interval '7 days'` },
]

const list = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ')

/**
 * Server-side limits of the application role: a function that is frozen or killed during a transaction runs no timer and would hold its locks until
 * it resumes. No request lives longer than half a minute.
 */
const APP_LIMITS = ['idle_in_transaction_session_timeout=10s', 'statement_timeout=30s']

/** Runs as the login role before the first migration: creates the roles and the schema owned by the owner role. */
export const PREPARE = `
do $$
declare r text;
begin
  foreach r in array array['authsec_owner', 'authsec_app', 'authsec_jobs'] loop
    if not exists (select from pg_roles where rolname = r) then
      begin
        execute format('create role %I nologin nosuperuser nobypassrls nocreatedb nocreaterole', r);
      exception when duplicate_object or unique_violation then null;
      end;
    end if;
    if not pg_has_role(current_user, r, case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end) then execute format('grant %I to current_user', r); end if;
  end loop;
  if not exists (select from pg_namespace where nspname = 'authsec') then
    create schema authsec authorization authsec_owner;
  end if;
  -- Roles belong to the cluster; another database of ours may be changing the same role concurrently.
  for r in select unnest(array[${list(APP_LIMITS)}]) loop
    if not exists (select from pg_roles where rolname = 'authsec_app' and r = any (rolconfig)) then
      begin
        execute format('alter role authsec_app set %s = %L', split_part(r, '=', 1), split_part(r, '=', 2));
      exception
        when internal_error then null;
        -- The login may lack the privilege: the deployment continues, and the creator of the role has to set this.
        when insufficient_privilege then raise warning 'alter role authsec_app set %: must be run by the creator of the role', r;
      end;
    end if;
  end loop;
end $$;
`

/** Runs as the owner role after every migration. */
export const POLICIES = `
do $$
declare
  t record;
  directory text[] := array[${list(DIRECTORY_TABLES)}];
  append_only text[] := array[${list(APPEND_ONLY)}];
  read_only text[] := array[${list(READ_ONLY)}];
begin
  grant usage on schema authsec to authsec_app, authsec_jobs;
  for t in select c.oid, c.relname::text as name, c.relrowsecurity as secured, c.relforcerowsecurity as forced
           from pg_class c where c.relnamespace = 'authsec'::regnamespace and c.relkind in ('r', 'p') loop
    if t.name = any (directory) then
      execute format('grant select on authsec.%I to authsec_app, authsec_jobs', t.name);
      if not t.name = any (read_only) then
        execute format('grant insert, update, delete on authsec.%I to authsec_app, authsec_jobs', t.name);
      end if;
    else
      if not exists (select from pg_attribute a where a.attrelid = t.oid and a.attname = 'tenant_id' and a.attnotnull) then
        raise exception 'table % has no tenant_id and is not a directory table', t.name;
      end if;
      if not t.secured then execute format('alter table authsec.%I enable row level security', t.name); end if;
      if not t.forced then execute format('alter table authsec.%I force row level security', t.name); end if;
      if not exists (select from pg_policy p where p.polrelid = t.oid and p.polname = 'own_tenant') then
        execute format($p$create policy own_tenant on authsec.%I
          using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
          with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)$p$, t.name);
      end if;
      execute format('grant select, insert on authsec.%I to authsec_app', t.name);
      if not t.name = any (append_only) then execute format('grant update, delete on authsec.%I to authsec_app', t.name); end if;
    end if;
  end loop;
end $$;
create or replace function authsec.raise_policy_version() returns trigger language plpgsql as $f$
begin
  update authsec.tenants set policy_version = policy_version + 1 where tenant_id in (select tenant_id from changed);
  return null;
end $f$;
do $$
declare
  name text;
  event text;
begin
  foreach name in array array[${list(POLICY_TABLES)}] loop
    -- A trigger with a transition table has one event.
    foreach event in array array['insert', 'update', 'delete'] loop
      if not exists (select from pg_trigger where tgrelid = format('authsec.%I', name)::regclass and tgname = 'policy_version_' || event) then
        -- An import brings the version along (db/dump/import.ts).
        execute format($t$create trigger %I after %s on authsec.%I referencing %s table as changed for each statement
          when (current_setting('app.importing', true) is distinct from 'on') execute function authsec.raise_policy_version()$t$,
          'policy_version_' || event, event, name, case event when 'delete' then 'old' else 'new' end);
      end if;
    end loop;
  end loop;
end $$;
${JOBS.map(
  ({ table, commands, rows }) => `
grant ${commands.join(', ')} on authsec.${table} to authsec_jobs;
${commands
  .map(
    (command) => `drop policy if exists jobs_${command} on authsec.${table};
create policy jobs_${command} on authsec.${table} for ${command} to authsec_jobs using (${rows});`,
  )
  .join('\n')}`,
).join('\n')}
`
