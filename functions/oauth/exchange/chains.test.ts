// Property test over thousands of chains: no step widens the one before, each adds at most one actor, and no chain exceeds the maximum depth.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { asTenantId } from '#db/engine/tenant'
import type { OauthClient, RequestedResource } from '#db/store/oauth-clients'
import type { Act, DelegationBounds } from '#db/store/oauth-delegations'
import type { AuthorizationDetail, DetailType } from '#db/store/oauth-details'
import { DEFAULT_DEPTH } from '#shared/domains/oauth/supported'
import { AppError } from '#shared/kernel/errors'
import { PAYMENT } from '#tests/support/agents'
import { type Narrowed, narrow, type RequestedExchange } from './narrow.ts'
import type { Subject } from './subject.ts'

const TENANT = asTenantId('0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee')
const SCOPES = ['a', 'b', 'c', 'd', 'e']
const AUDIENCE = 'https://api.example.com/mcp'
const NOW = new Date('2026-03-02T09:00:00Z')
const RESOURCE: RequestedResource = {
  id: TENANT,
  name: 'Tools',
  resource: AUDIENCE,
  tokenSeconds: 300,
  scopes: SCOPES.map((name) => ({ name, description: '', permission: name === 'e' ? 'things:e' : null })),
  ofServiceAccount: [],
  candidates: 1,
  accessRoleId: undefined,
}
const TYPES: readonly DetailType[] = [{ ...PAYMENT, tenantId: TENANT, id: TENANT, resourceServerId: null, createdAt: NOW, updatedAt: NOW }]

const clientOf = (id: string, agent: boolean, allowedScopes: readonly string[] | undefined): OauthClient => ({
  tenantId: TENANT,
  clientId: id,
  publicId: id,
  registeredBy: 'administrator',
  jwksUri: undefined,
  jwksFetchedAt: undefined,
  jwksReadAt: undefined,
  loginUi: undefined,
  metadataFetchedAt: undefined,
  isUnused: false,
  name: id,
  clientUri: undefined,
  active: true,
  isPublic: false,
  secretHash: undefined,
  previousSecretHash: undefined,
  previousValidUntil: undefined,
  authMethod: undefined,
  jwks: undefined,
  grantTypes: [],
  redirectUris: [],
  postLogoutRedirectUris: [],
  allowedScopes,
  dpopBound: false,
  requiresPar: false,
  responseModes: [],
  serviceAccountId: undefined,
  quotas: undefined,
  agent: agent ? { type: 'assistant', owner: 'Ada' } : undefined,
  resource: RESOURCE,
})

const subset = (of: readonly string[]) => fc.subarray([...of])
const detail = fc.record({
  type: fc.constant('payment'),
  accounts: fc.subarray(['x', 'y', 'z'], { minLength: 1 }),
  max_calls: fc.integer({ min: 0, max: 20 }),
  max_amount: fc.integer({ min: 0, max: 1000 }),
  currency: fc.constantFrom('EUR', 'EUR', 'EUR', 'USD'),
})
const key = fc.constantFrom('k1', 'k1', 'k2')
const ids = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7']

const step = fc.record({
  by: fc.constantFrom(...ids),
  agent: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
  allowedScopes: fc.option(subset(SCOPES), { nil: undefined, freq: 3 }),
  scopes: fc.oneof({ weight: 3, arbitrary: fc.constant<string[]>([]) }, subset([...SCOPES, 'openid', 'f'])),
  details: fc.option(fc.array(detail, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 1 }),
  impersonation: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  requestedActor: fc.option(fc.constantFrom(...ids), { nil: undefined, freq: 1 }),
  jkt: fc.option(key, { nil: undefined, freq: 2 }),
  after: fc.integer({ min: 0, max: 60 }),
  depth: fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined, freq: 1 }),
  policies: fc.array(
    fc.record({
      id: fc.constant('p'),
      version: fc.constant('1'),
      allowed_permissions: subset([...SCOPES, 'things:e']),
      audience: fc.constantFrom<string[]>([], [], [AUDIENCE], ['https://other.example.com']),
      max_ttl_seconds: fc.integer({ min: 60, max: 600 }),
      impersonation: fc.boolean(),
    }),
    { minLength: 0, maxLength: 3 },
  ),
})
const root = fc.record({
  scopes: subset(SCOPES),
  details: fc.uniqueArray(detail, { maxLength: 2, selector: (one) => JSON.stringify(one) }),
  seconds: fc.integer({ min: 1, max: 300 }),
  jkt: fc.option(key, { nil: undefined, freq: 1 }),
  agent: fc.boolean(),
})

const actors = (act: Act | undefined): readonly string[] => (act === undefined ? [] : [act.sub, ...actors(act.act)])
/** Written independently of the rule under test: compares each member by name. */
const isLess = (a: AuthorizationDetail, b: AuthorizationDetail): boolean => {
  const names = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
  const isPart = names(a.accounts).every((one) => names(b.accounts).includes(one))
  return isPart && Number(a.max_calls) <= Number(b.max_calls) && Number(a.max_amount) <= Number(b.max_amount) && a.currency === b.currency
}

const subjectOf = (before: Subject, by: string, n: Narrowed, at: Date, jkt: string | undefined): Subject => ({
  ...before,
  clientId: by,
  expiresAt: new Date(at.getTime() + n.ttlSeconds * 1000),
  scopes: n.scopes,
  details: n.details.map(({ detail: one }) => one),
  act: n.act,
  depth: n.depth,
  mayAct: n.mayAct,
  jkt,
})

const CODES = ['invalid_request', 'invalid_scope', 'invalid_authorization_details', 'invalid_dpop_proof']

test('A step never widens scopes, details or lifetime, adds at most one actor and keeps the depth limit', () => {
  let [accepted, refused, deepest] = [0, 0, 0]
  fc.assert(
    fc.property(root, fc.array(step, { minLength: 1, maxLength: 10 }), (begin, steps) => {
      let at = NOW
      let subject: Subject = {
        sub: 'person',
        clientId: 'c0',
        userId: 'person',
        serviceAccountId: undefined,
        tokenId: undefined,
        expiresAt: new Date(at.getTime() + begin.seconds * 1000),
        audience: AUDIENCE,
        resourceServerId: RESOURCE.id,
        scopes: begin.scopes,
        details: begin.details,
        act: begin.agent ? { sub: 'c0' } : undefined,
        depth: begin.agent ? 1 : 0,
        jkt: begin.jkt,
        mayAct: undefined,
        authentication: undefined,
        path: [],
        holderId: undefined,
        root: { authorizationId: null, rootClientId: null, issuerId: null, rootMadeAt: NOW },
      }
      for (const one of steps) {
        at = new Date(at.getTime() + one.after * 1000)
        const bounds: DelegationBounds = { depth: one.depth, policies: one.policies }
        const wanted: RequestedExchange = { ...one, now: at }
        let narrowed: Narrowed
        try {
          narrowed = narrow(clientOf(one.by, one.agent, one.allowedScopes), RESOURCE, subject, bounds, TYPES, wanted)
        } catch (error) {
          if (!(error instanceof AppError)) throw error
          expect(CODES).toContain(error.code)
          refused++
          continue
        }
        // The token endpoint refuses a token without remaining lifetime.
        if (narrowed.ttlSeconds <= 0) continue
        accepted++
        const isSame = one.by === subject.clientId
        const fitting = one.policies.filter(({ audience }) => !audience.includes('https://other.example.com'))
        expect(narrowed.scopes.every((scope) => subject.scopes.includes(scope))).toBe(true)
        expect(narrowed.scopes.every((scope) => one.allowedScopes?.includes(scope) ?? true)).toBe(true)
        for (const { detail: got } of narrowed.details) expect(subject.details.some((held) => isLess(got, held))).toBe(true)
        expect(at.getTime() + narrowed.ttlSeconds * 1000).toBeLessThanOrEqual(subject.expiresAt.getTime())
        expect(narrowed.ttlSeconds).toBeLessThanOrEqual(RESOURCE.tokenSeconds)
        if (subject.jkt !== undefined) expect(one.jkt).toBeDefined()
        if (isSame) {
          expect([narrowed.act, narrowed.depth]).toEqual([subject.act, subject.depth])
          if (subject.mayAct !== undefined) expect(narrowed.mayAct).toBe(subject.mayAct)
        } else {
          expect(one.agent).toBe(true)
          expect(narrowed.depth).toBe(subject.depth + 1)
          expect(narrowed.depth).toBeLessThanOrEqual(one.depth ?? DEFAULT_DEPTH)
          expect(actors(narrowed.act)).toEqual(one.impersonation ? actors(subject.act) : [one.by, ...actors(subject.act)])
          if (subject.mayAct !== undefined) expect(one.by).toBe(subject.mayAct)
          const allowed = new Set(fitting.flatMap(({ allowed_permissions }) => allowed_permissions))
          expect(narrowed.scopes.every((scope) => allowed.has(scope === 'e' ? 'things:e' : scope))).toBe(true)
          expect(narrowed.ttlSeconds).toBeLessThanOrEqual(
            Math.min(...fitting.filter(({ impersonation }) => impersonation || !one.impersonation).map(({ max_ttl_seconds }) => max_ttl_seconds)),
          )
        }
        deepest = Math.max(deepest, narrowed.depth)
        subject = subjectOf(subject, one.by, narrowed, at, one.jkt)
      }
    }),
    { numRuns: 5000 },
  )
  // The generated chains must reach all outcomes.
  expect(accepted).toBeGreaterThan(3000)
  expect(refused).toBeGreaterThan(3000)
  expect(deepest).toBeGreaterThan(3)
})
