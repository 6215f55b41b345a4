// Routes of attestors. Evidence that an attestor accepts can make a process any workload of the tenant, so a change that widens one needs the whole
// administrator role and a recent sign-in with two factors.
import { may, open } from '#shared/platform/http/access'
import { empty, json } from '#shared/platform/http/route'
import {
  AttestorChallenge,
  AttestorChange,
  AttestorList,
  AttestorOut,
  AttestorPath,
  AttestorTrial,
  AttestorVerdict,
  NewAttestor,
} from './attestors.schema.ts'
import { changeAttestor, createAttestor, issueChallenge, readAttestor, removeAttestor, showAttestors, tryAttestor } from './attestors.ts'
import { route } from './group.ts'

const managing = may('spire:manage')

export const attestorRoutes = [
  route({
    id: 'attestors.create',
    on: 'POST /spiffe/attestors',
    summary: 'Accept evidence of workloads. Needs the whole administrator role and a recent sign-in with two factors.',
    access: managing,
    body: NewAttestor,
    reply: json(201, AttestorOut),
    errors: ['invalid_request', 'attestor_exists', 'quota_exceeded', 'cannot_grant', 'insufficient_user_authentication'],
    emits: ['attestor.created'],
    handle: ({ ctx, principal, body }) => createAttestor(ctx, principal, body),
  }),
  route({
    id: 'attestors.list',
    on: 'GET /spiffe/attestors',
    summary: 'List the attestors of the tenant.',
    access: managing,
    reply: json(200, AttestorList),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal }) => showAttestors(ctx, principal),
  }),
  route({
    id: 'attestors.read',
    on: 'GET /spiffe/attestors/:id',
    summary: 'Read an attestor, with the ETag that a change needs.',
    access: managing,
    path: AttestorPath,
    reply: json(200, AttestorOut),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal, path }) => readAttestor(ctx, principal, path.id),
  }),
  route({
    id: 'attestors.change',
    on: 'PATCH /spiffe/attestors/:id',
    summary:
      'Change what an attestor accepts (If-Match required). Identities from earlier evidence end. A change that widens it needs what creating one needs.',
    access: managing,
    path: AttestorPath,
    body: AttestorChange,
    reply: json(200, AttestorOut),
    errors: [
      'not_found',
      'invalid_request',
      'attestor_exists',
      'precondition_required',
      'precondition_failed',
      'cannot_grant',
      'insufficient_user_authentication',
    ],
    emits: ['attestor.updated'],
    handle: ({ ctx, principal, path, body }) => changeAttestor(ctx, principal, path.id, body),
  }),
  route({
    id: 'attestors.delete',
    on: 'DELETE /spiffe/attestors/:id',
    summary: 'Remove an attestor and its join tokens.',
    access: managing,
    path: AttestorPath,
    reply: empty(204),
    errors: ['not_found'],
    emits: ['attestor.deleted'],
    handle: ({ ctx, principal, path }) => removeAttestor(ctx, principal, path.id),
  }),
  route({
    id: 'attestors.try',
    on: 'POST /spiffe/attestors/:id/try',
    summary: 'Try evidence without using it, and learn which check fails.',
    access: managing,
    path: AttestorPath,
    body: AttestorTrial,
    reply: json(200, AttestorVerdict),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal, path, body }) => tryAttestor(ctx, principal, path.id, body),
  }),
  route({
    id: 'attestors.challenge',
    on: 'POST /spiffe/challenges',
    summary: 'Get a challenge for a proof of possession of a certificate.',
    access: open('a challenge is not secret and proves nothing by itself', { class: 'general' }),
    reply: json(200, AttestorChallenge),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx }) => issueChallenge(ctx),
  }),
]
