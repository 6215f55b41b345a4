// Service provider metadata (SAML 2.0 Metadata section 2.4.4).

import { asTenantId, forTenant } from '#db/engine/tenant'
import { findClient } from '#db/store/clients'
import type { SamlKey } from '#db/store/saml-keys'
import { findTenant } from '#db/store/tenants'
import { AppError } from '#shared/kernel/errors'
import type { Ctx } from './group.ts'
import { ensureSamlKeys } from './keys.ts'
import { clientAcsOf, entityIdOf, type ServiceProvider, sharedAcsOf } from './service-provider.ts'

const FORMAT = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress'
const POST = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'
const CIPHERS = ['http://www.w3.org/2009/xmlenc11#aes256-gcm', 'http://www.w3.org/2009/xmlenc11#aes128-gcm']
const KEY_TRANSPORT = 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p'

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

const descriptor = (use: 'signing' | 'encryption', { certificate }: SamlKey): string => {
  const der = certificate.replace(/-----[^-]+-----|\s/g, '')
  const methods = use === 'signing' ? '' : [...CIPHERS, KEY_TRANSPORT].map((name) => `<md:EncryptionMethod Algorithm="${name}"/>`).join('')
  return `<md:KeyDescriptor use="${use}"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>${der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>${methods}</md:KeyDescriptor>`
}

const describe = (ctx: Ctx, service: ServiceProvider, keys: readonly SamlKey[]): string => {
  const acs = (url: string, rest: string): string => `<md:AssertionConsumerService Binding="${POST}" Location="${escaped(url)}" ${rest}/>`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="${escaped(entityIdOf(ctx, service))}">`,
    '<md:SPSSODescriptor AuthnRequestsSigned="true" WantAssertionsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">',
    ...keys.toReversed().map((key) => descriptor('signing', key)),
    ...keys.map((key) => descriptor('encryption', key)),
    `<md:NameIDFormat>${FORMAT}</md:NameIDFormat>`,
    acs(clientAcsOf(ctx, service), 'index="1" isDefault="true"'),
    acs(sharedAcsOf(ctx), 'index="2"'),
    '</md:SPSSODescriptor>',
    '</md:EntityDescriptor>',
  ].join('\n')
}

/** @throws AppError not_found */
export const showMetadata = async (ctx: Ctx, request: { readonly tenant_id: string; readonly client_id: string }): Promise<string> => {
  const tenantId = asTenantId(request.tenant_id.toLowerCase())
  const clientId = request.client_id.toLowerCase()
  const t = forTenant(ctx.db, tenantId)
  const [tenant, client] = [await findTenant(t), await findClient(t, clientId)]
  if (tenant?.status !== 'active' || client === undefined || !client.active || client.deletedAt !== null) throw new AppError('not_found')
  return describe(ctx, { tenantId, clientId }, await ensureSamlKeys(ctx, tenantId))
}
