// Routes of registration entries.
import { may } from '#shared/platform/http/access'
import { empty, json } from '#shared/platform/http/route'
import { EntryChanges, EntryList, EntryOut, EntryPath, EntryQuery, NewEntry } from './entries.schema.ts'
import { addEntry, findEntries, readEntry, removeEntry, updateEntryFields } from './entries.ts'
import { route } from './group.ts'

const managing = may('spire:manage')

export const entryRoutes = [
  route({
    id: 'spiffe.createEntry',
    on: 'POST /spiffe/entries',
    summary: 'Register a workload: which SPIFFE id it gets, and the selectors that it must prove. Creates the trust domain at first use.',
    access: managing,
    body: NewEntry,
    reply: json(201, EntryOut),
    errors: ['invalid_request', 'entry_exists', 'quota_exceeded', 'not_found', 'cannot_grant'],
    emits: ['spiffe_entry.created'],
    handle: ({ ctx, principal, body }) => addEntry(ctx, principal, body),
  }),
  route({
    id: 'spiffe.listEntries',
    on: 'GET /spiffe/entries',
    summary: 'List registration entries, newest first; the Link header has the next page.',
    access: managing,
    query: EntryQuery,
    reply: json(200, EntryList),
    errors: ['invalid_request'],
    emits: 'nothing',
    handle: ({ ctx, principal, query }) => findEntries(ctx, principal, query),
  }),
  route({
    id: 'spiffe.readEntry',
    on: 'GET /spiffe/entries/:entry_id',
    summary: 'Read a registration entry, with the ETag that a change needs.',
    access: managing,
    path: EntryPath,
    reply: json(200, EntryOut),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal, path }) => readEntry(ctx, principal, path.entry_id),
  }),
  route({
    id: 'spiffe.changeEntry',
    on: 'PATCH /spiffe/entries/:entry_id',
    summary: 'Change a registration entry (If-Match required). Other selectors, another parent or agent, or fewer audiences end its SVIDs.',
    access: managing,
    path: EntryPath,
    body: EntryChanges,
    reply: json(200, EntryOut),
    errors: ['not_found', 'invalid_request', 'precondition_required', 'precondition_failed', 'cannot_grant'],
    emits: ['spiffe_entry.updated'],
    handle: ({ ctx, principal, path, body }) => updateEntryFields(ctx, principal, path.entry_id, body),
  }),
  route({
    id: 'spiffe.deleteEntry',
    on: 'DELETE /spiffe/entries/:entry_id',
    summary: 'Delete a registration entry and end its SVIDs.',
    access: managing,
    path: EntryPath,
    reply: empty(204),
    errors: ['not_found'],
    emits: ['spiffe_entry.deleted'],
    handle: ({ ctx, principal, path }) => removeEntry(ctx, principal, path.entry_id),
  }),
]
