// Routes of authorization detail types (RFC 9396).
import { may } from '#shared/platform/http/access'
import { empty, json } from '#shared/platform/http/route'
import { DetailTypeChange, DetailTypeList, DetailTypeOut, DetailTypePath, NewDetailType } from './detail-types.schema.ts'
import { changeDetailType, createDetailType, readDetailType, removeDetailType, showDetailTypes } from './detail-types.ts'
import { route } from './group.ts'

const reading = may('clients:read')
const writing = may('admin:access', 'clients:write')

export const detailTypeRoutes = [
  route({
    id: 'detailTypes.create',
    on: 'POST /authorization-types',
    summary: 'Register an authorization detail type (RFC 9396): its schema, and which members are limits that calls consume.',
    access: writing,
    body: NewDetailType,
    reply: json(201, DetailTypeOut),
    errors: ['invalid_request', 'not_found', 'detail_type_exists', 'quota_exceeded'],
    emits: ['detail_type.created'],
    handle: ({ ctx, principal, body }) => createDetailType(ctx, principal, body),
  }),
  route({
    id: 'detailTypes.list',
    on: 'GET /authorization-types',
    summary: 'List the authorization detail types of the tenant.',
    access: reading,
    reply: json(200, DetailTypeList),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal }) => showDetailTypes(ctx, principal),
  }),
  route({
    id: 'detailTypes.read',
    on: 'GET /authorization-types/:type_id',
    summary: 'Read an authorization detail type, with the ETag that a change needs.',
    access: reading,
    path: DetailTypePath,
    reply: json(200, DetailTypeOut),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal, path }) => readDetailType(ctx, principal, path.type_id),
  }),
  route({
    id: 'detailTypes.change',
    on: 'PATCH /authorization-types/:type_id',
    summary: 'Change the title of a type (If-Match required). The schema cannot change, because people consented under it.',
    access: writing,
    path: DetailTypePath,
    body: DetailTypeChange,
    reply: json(200, DetailTypeOut),
    errors: ['not_found', 'precondition_required', 'precondition_failed'],
    emits: ['detail_type.updated'],
    handle: ({ ctx, principal, path, body }) => changeDetailType(ctx, principal, path.type_id, body),
  }),
  route({
    id: 'detailTypes.delete',
    on: 'DELETE /authorization-types/:type_id',
    summary: 'Delete a type: it can no longer be requested. Existing consents are kept.',
    access: writing,
    path: DetailTypePath,
    reply: empty(204),
    errors: ['not_found'],
    emits: ['detail_type.deleted'],
    handle: ({ ctx, principal, path }) => removeDetailType(ctx, principal, path.type_id),
  }),
]
