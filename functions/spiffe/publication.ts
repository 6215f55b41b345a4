// What a trust domain publishes. A tenant without a trust domain publishes nothing.
import type * as z from 'zod'
import { asTenantId, type TenantId } from '#db/engine/tenant'
import { findCrl, findTrustDomainDocument, type TrustDomainDocument } from '#shared/domains/spiffe/bundle'
import { AppError } from '#shared/kernel/errors'
import { parseUuid } from '#shared/kernel/ids'
import type { ConstantResult } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'
import type { CrlQuery } from './publication.schema.ts'

/** @throws AppError not_found for a text that is no id */
export const tenantInPath = (text: string): TenantId => {
  const id = parseUuid(text)
  if (id === undefined || id !== text) throw new AppError('not_found')
  return asTenantId(id)
}

/** @throws AppError not_found */
export const publishedDocument = async (ctx: Ctx, tenant: string, name: TrustDomainDocument): Promise<ConstantResult> => {
  const document = await findTrustDomainDocument(ctx, tenantInPath(tenant), name)
  if (document === undefined) throw new AppError('not_found')
  return document
}

/** @throws AppError not_found */
export const publishedCrl = async (ctx: Ctx, tenant: string, { ca }: z.output<typeof CrlQuery>): Promise<ReadableStream<Uint8Array>> => {
  const crl = await findCrl(ctx, tenantInPath(tenant), ca)
  if (crl === undefined) throw new AppError('not_found')
  return new Blob([new Uint8Array(crl)]).stream()
}
